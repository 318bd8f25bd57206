package encode

import (
	"strconv"
	"time"
)

// object appends JSON objects member by member. A member that says nothing, an empty text for example or an object
// without members, is left out.
type object struct{ buf []byte }

// key begins a member.
func (o *object) key(k string) {
	o.comma()
	o.buf = append(append(append(o.buf, '"'), k...), '"', ':')
}

// comma separates a member or an element from the one before, if there is one.
func (o *object) comma() {
	if c := o.buf[len(o.buf)-1]; c != '{' && c != '[' {
		o.buf = append(o.buf, ',')
	}
}

// open begins a member that is an object and returns its place for close.
func (o *object) open(k string) int { return o.begin(k, '{') }

// array begins a member that is an array and returns its place for closeArray.
func (o *object) array(k string) int { return o.begin(k, '[') }

func (o *object) begin(k string, bracket byte) int {
	at := len(o.buf)
	o.key(k)
	o.buf = append(o.buf, bracket)
	return at
}

// close ends the object that open began.
func (o *object) close(at int) { o.end(at, '}') }

// closeArray ends the array that array began.
func (o *object) closeArray(at int) { o.end(at, ']') }

func (o *object) end(at int, bracket byte) {
	if c := o.buf[len(o.buf)-1]; c == '{' || c == '[' {
		o.buf = o.buf[:at] // nothing in it
		return
	}
	o.buf = append(o.buf, bracket)
}

// members writes members that are written already.
func (o *object) members(text []byte) {
	if len(text) > 0 {
		o.comma()
		o.buf = append(o.buf, text...)
	}
}

func (o *object) str(k, v string) {
	if v != "" {
		o.key(k)
		o.buf = appendString(o.buf, v)
	}
}

func (o *object) int(k string, v int64) {
	o.key(k)
	o.buf = strconv.AppendInt(o.buf, v, 10)
}

func (o *object) bool(k string, v bool) {
	o.key(k)
	o.buf = strconv.AppendBool(o.buf, v)
}

// one writes an array of one text.
func (o *object) one(k, v string) {
	at := o.array(k)
	o.element(v)
	o.closeArray(at)
}

// element writes a text into an array.
func (o *object) element(v string) {
	if v != "" {
		o.comma()
		o.buf = appendString(o.buf, v)
	}
}

// date writes a time in nanoseconds since the epoch.
func (o *object) date(k string, ns int64) {
	o.key(k)
	o.buf = append(o.buf, '"')
	o.buf = time.Unix(0, ns).UTC().AppendFormat(o.buf, time.RFC3339Nano)
	o.buf = append(o.buf, '"')
}

// known writes a time unless it is 0, which stands for an unknown one.
func (o *object) known(k string, ns int64) {
	if ns != 0 {
		o.date(k, ns)
	}
}
