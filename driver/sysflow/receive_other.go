//go:build !linux

package sysflow

import "net"

// newReceiver returns a receiver for a connection, which has to be closed.
func newReceiver(conn *net.UnixConn) (receiver, error) { return newPlainReceiver(conn), nil }
