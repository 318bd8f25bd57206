package codec

// skip passes over a value of type t, checking it as it goes. depth is how many values it is inside of.
func skip(t *avroType, b []byte, i, depth int) int {
	if t.empty {
		return i
	}
	if depth > maxDepth {
		return faultDepth
	}
	switch t.kind {
	case kindBoolean:
		_, i = boolAt(b, i)
		return i
	case kindInt:
		_, i = int32At(b, i)
		return i
	case kindLong:
		_, i = long(b, i)
		return i
	case kindFloat:
		return skipBytes(b, i, 4)
	case kindDouble:
		return skipBytes(b, i, 8)
	case kindBytes, kindString:
		_, i = bytesAt(b, i)
		return i
	case kindFixed:
		return skipBytes(b, i, t.size)
	case kindEnum:
		_, i = indexAt(b, i, len(t.symbols), faultEnum)
		return i
	case kindUnion:
		var n int
		if n, i = indexAt(b, i, len(t.branches), faultUnion); i < 0 {
			return i
		}
		return skip(t.branches[n], b, i, depth+1)
	case kindRecord:
		for k := range t.fields {
			if i = skip(t.fields[k].typ, b, i, depth+1); i < 0 {
				return i
			}
		}
		return i
	default: // kindArray, kindMap
		return skipItems(t, b, i, depth+1)
	}
}

// skipItems passes over an array or a map.
func skipItems(t *avroType, b []byte, i, depth int) int {
	for {
		count, end, next := itemRun(b, i)
		if next < 0 || count == 0 {
			return next
		}
		i = next
		if t.kind == kindArray && t.elem.empty {
			count = 0 // nothing to pass over
		}
		for ; count > 0; count-- {
			if t.kind == kindMap {
				if _, i = bytesAt(b, i); i < 0 {
					return i
				}
			}
			if i = skip(t.elem, b, i, depth); i < 0 {
				return i
			}
		}
		if end != 0 && i != end {
			return faultSize
		}
	}
}

// indexAt reads an index below n, of a union or an enum; bad is the fault to return for any other.
func indexAt(b []byte, i, n, bad int) (index, next int) {
	v, i := int32At(b, i)
	if i < 0 {
		return 0, i
	}
	if v < 0 || int(v) >= n {
		return 0, bad
	}
	return int(v), i
}
