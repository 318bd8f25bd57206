package flattener

import (
	"encoding/hex"

	"github.com/sysflow-telemetry/sf-processor/core/codec"
	"github.com/sysflow-telemetry/sf-processor/core/entity"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// The rows of a slab.
type (
	intRow = [sfgo.INT_ARRAY_SIZE]int64
	strRow = [sfgo.STR_ARRAY_SIZE]string
	anyRow = [sfgo.ANY_ARRAY_SIZE]any
)

// Parts of a row whose entity is not known. They are never written.
var (
	noContainer entity.ContainerRow
	noPod       entity.PodRow
)

// fill writes every slot of a row of a slab, whatever it held before.
func fill(row *sfgo.FlatRecord, rec *codec.Record, res *entity.Resolved) {
	ints := (*intRow)(row.Ints[sfgo.SYSFLOW_IDX])
	strs := (*strRow)(row.Strs[sfgo.SYSFLOW_IDX])
	anys := (*anyRow)(row.Anys[sfgo.SYSFLOW_IDX])

	*ints = rec.Event.Ints // zero in all slots but the event's own and the process's id
	ints[sfgo.SF_REC_TYPE] = rec.Type
	ints[sfgo.SFHE_VERSION_INT] = res.Header.Version
	*(*[3]string)(strs[sfgo.SFHE_EXPORTER_STR:]) = res.Header.Strs
	fillContainer(ints, strs, anys, res)
	fillProcess(ints, strs, res.Process)
	row.Ptree = res.Ptree
	row.GraphletID = 0
	fillEvent(strs, anys, rec)
	fillFiles(ints, strs, rec, res)
}

// fillContainer writes the slots of the container and the pod.
func fillContainer(ints *intRow, strs *strRow, anys *anyRow, res *entity.Resolved) {
	cont, pod := res.Container, res.Pod
	if cont == nil {
		cont = &noContainer
	}
	if pod == nil {
		pod = &noPod
	}
	*(*[2]int64)(ints[sfgo.CONT_TYPE_INT:]) = cont.Ints
	*(*[5]string)(strs[sfgo.CONT_ID_STR:]) = cont.Strs
	*(*[2]int64)(ints[sfgo.POD_TS_INT:]) = pod.Ints
	*(*[7]string)(strs[sfgo.POD_ID_STR:]) = pod.Strs
	*(*[3]any)(anys[sfgo.POD_HOSTIP_ANY:]) = pod.Anys
}

// fillProcess writes the slots of the process but for its id, which is the event's.
func fillProcess(ints *intRow, strs *strRow, p *sfgo.Process) {
	if p == nil {
		clear(strs[sfgo.PROC_EXE_STR : sfgo.PROC_CONTAINERID_STRING_STR+1])
		return
	}
	ints[sfgo.PROC_STATE_INT] = int64(p.State)
	if p.Poid.UnionType == sfgo.PoidUnionTypeEnumOID {
		ints[sfgo.PROC_POID_CREATETS_INT] = p.Poid.OID.CreateTS
		ints[sfgo.PROC_POID_HPID_INT] = p.Poid.OID.Hpid
	}
	ints[sfgo.PROC_TS_INT] = p.Ts
	ints[sfgo.PROC_UID_INT] = int64(p.Uid)
	ints[sfgo.PROC_GID_INT] = int64(p.Gid)
	ints[sfgo.PROC_TTY_INT] = bit(p.Tty)
	ints[sfgo.PROC_ENTRY_INT] = bit(p.Entry)
	strs[sfgo.PROC_EXE_STR] = p.Exe
	strs[sfgo.PROC_EXEARGS_STR] = p.ExeArgs
	strs[sfgo.PROC_USERNAME_STR] = p.UserName
	strs[sfgo.PROC_GROUPNAME_STR] = p.GroupName
	strs[sfgo.PROC_CONTAINERID_STRING_STR] = p.ContainerId.String
}

// fillEvent writes what only an event has.
func fillEvent(strs *strRow, anys *anyRow, rec *codec.Record) {
	strs[sfgo.K8SE_MESSAGE_STR] = ""
	if rec.Type == sfgo.K8S_EVT {
		strs[sfgo.K8SE_MESSAGE_STR] = string(rec.Event.Message)
	}
	anys[sfgo.EV_PROC_ARGS_ANY] = nil
	if rec.Type == sfgo.PROC_EVT && len(rec.Event.Args) > 0 {
		args := make([]string, len(rec.Event.Args))
		for i, a := range rec.Event.Args {
			args[i] = string(a)
		}
		anys[sfgo.EV_PROC_ARGS_ANY] = args
	}
}

// fillFiles writes the slots of the files. The integers of the second one are slots that other types of records use.
func fillFiles(ints *intRow, strs *strRow, rec *codec.Record, res *entity.Resolved) {
	*(*[6]string)(strs[sfgo.FILE_OID_STR:]) = [6]string{}
	if rec.Type != sfgo.FILE_FLOW && rec.Type != sfgo.FILE_EVT {
		return
	}
	ev := &rec.Event
	fillFile(ints, strs, sfgo.FILE_STATE_INT, sfgo.FILE_OID_STR, res.File, &ev.FileOID)
	if rec.Type == sfgo.FILE_EVT && ev.HasNewFile {
		fillFile(ints, strs, sfgo.SEC_FILE_STATE_INT, sfgo.SEC_FILE_OID_STR, res.NewFile, &ev.NewFileOID)
	}
}

// fillFile writes the slots of a file from the given ones on. Of a file that is not known the id is.
func fillFile(ints *intRow, strs *strRow, firstInt, firstStr sfgo.Attribute, f *entity.FileRow, oid *sfgo.FOID) {
	if f == nil {
		strs[firstStr] = hex.EncodeToString(oid[:])
		return
	}
	*(*[3]int64)(ints[firstInt:]) = f.Ints
	*(*[3]string)(strs[firstStr:]) = f.Strs
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
