package entity

import "github.com/sysflow-telemetry/sf-processor/core/sfgo"

// The Row types hold an entity's part of a flat record: neighbouring slots, ready to be copied in one go. Beside it is
// the entity as a structure, for custom handlers.

// HeaderRow is a header.
type HeaderRow struct {
	Version int64          // SFHE_VERSION_INT
	Strs    [3]string      // from SFHE_EXPORTER_STR
	SysFlow *sfgo.SFHeader // may be kept; nil if there is no header
}

// ContainerRow is a container.
type ContainerRow struct {
	Ints    [2]int64        // from CONT_TYPE_INT
	Strs    [5]string       // from CONT_ID_STR
	SysFlow *sfgo.Container // as it came; may be kept
}

// PodRow is a pod.
type PodRow struct {
	Ints    [2]int64  // from POD_TS_INT
	Strs    [7]string // from POD_ID_STR
	Anys    [3]any    // from POD_HOSTIP_ANY
	SysFlow *sfgo.Pod // as it came; may be kept
}

// FileRow is a file. Its slots as the second file of an event are in the same order.
type FileRow struct {
	Ints [3]int64  // from FILE_STATE_INT, or SEC_FILE_STATE_INT
	Strs [3]string // from FILE_OID_STR, or SEC_FILE_OID_STR

	oid     sfgo.FOID
	path    string // as it came
	inCont  bool   // containerId is not null
	sysflow *sfgo.File
}

// SysFlow returns the file as it came. The structure may be kept; it is made when first asked for.
func (f *FileRow) SysFlow() *sfgo.File {
	if f.sysflow == nil {
		f.sysflow = &sfgo.File{
			State:       sfgo.SFObjectState(f.Ints[0]),
			Oid:         f.oid,
			Ts:          f.Ints[1],
			Restype:     int32(f.Ints[2]),
			Path:        f.path,
			ContainerId: containerID(f.Strs[2], f.inCont),
		}
	}
	return f.sysflow
}

func newHeaderRow(h *sfgo.SFHeader) *HeaderRow {
	return &HeaderRow{Version: h.Version, Strs: [3]string{h.Exporter, h.Ip, h.Filename}, SysFlow: h}
}

func containerID(id string, valid bool) *sfgo.ContainerIdUnion {
	if !valid {
		return &sfgo.ContainerIdUnion{}
	}
	return &sfgo.ContainerIdUnion{String: id, UnionType: sfgo.ContainerIdUnionTypeEnumString}
}
