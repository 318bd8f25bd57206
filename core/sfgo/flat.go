package sfgo

// Attribute is the position of a value in the rows of a [FlatRecord].
type Attribute uint32

// Source identifies where the values of one row of a [FlatRecord] come from.
type Source uint32

// Sources. SysFlow input fills only SYSFLOW_SRC; the others are for producers of other data.
const (
	SYSFLOW_SRC Source = iota
	PROCESS_SRC
	FILE_SRC
	NETWORK_SRC
	TARG_PROC_SRC
)

// Positions of the sources in a record that has them all.
const (
	SYSFLOW_IDX = iota
	PROC_IDX
	FILE_IDX
	NETWORK_IDX
)

// Record types: the values of the attribute SF_REC_TYPE, equal to the union indices of schema version 5.
const (
	HEADER int64 = iota
	CONT
	PROC
	FILE
	PROC_EVT
	NET_FLOW
	FILE_FLOW
	FILE_EVT
	NET_EVT
	PROC_FLOW
	POD
	K8S_EVT
	UNKNOWN_TYPE // and above
)

// Sizes of the rows of SYSFLOW_SRC.
const (
	INT_ARRAY_SIZE = 36
	STR_ARRAY_SIZE = 27
	ANY_ARRAY_SIZE = 4
)

// Integer attributes of SYSFLOW_SRC. Several names share a slot: which one holds depends on SF_REC_TYPE.
const (
	SF_REC_TYPE            Attribute = 0
	SFHE_VERSION_INT       Attribute = 1
	CONT_TYPE_INT          Attribute = 2
	CONT_PRIVILEGED_INT    Attribute = 3
	POD_TS_INT             Attribute = 4
	POD_RESTARTCOUNT_INT   Attribute = 5
	K8SE_KIND_INT          Attribute = 6
	K8SE_ACTION_INT        Attribute = 7
	K8SE_TS_INT            Attribute = 8
	PROC_STATE_INT         Attribute = 9
	PROC_OID_CREATETS_INT  Attribute = 10
	PROC_OID_HPID_INT      Attribute = 11
	PROC_POID_CREATETS_INT Attribute = 12
	PROC_POID_HPID_INT     Attribute = 13
	PROC_TS_INT            Attribute = 14
	PROC_UID_INT           Attribute = 15
	PROC_GID_INT           Attribute = 16
	PROC_TTY_INT           Attribute = 17
	PROC_ENTRY_INT         Attribute = 18
	FILE_STATE_INT         Attribute = 19
	FILE_TS_INT            Attribute = 20
	FILE_RESTYPE_INT       Attribute = 21

	TS_INT      Attribute = 22
	TID_INT     Attribute = 23
	OPFLAGS_INT Attribute = 24

	RET_INT   Attribute = 25 // PE, FE, NE
	ENDTS_INT Attribute = 25 // FF, NF, PF

	FD_INT            Attribute = 26 // FF, NF
	NUMRRECVOPS_INT   Attribute = 27 // FF, NF
	NUMWSENDOPS_INT   Attribute = 28 // FF, NF
	NUMRRECVBYTES_INT Attribute = 29 // FF, NF
	NUMWSENDBYTES_INT Attribute = 30 // FF, NF

	SEC_FILE_STATE_INT   Attribute = 26 // FE
	SEC_FILE_TS_INT      Attribute = 27 // FE
	SEC_FILE_RESTYPE_INT Attribute = 28 // FE

	FL_PROC_NUMTHREADSCLONED_INT Attribute = 27 // PF
	FL_PROC_NUMTHREADSEXITED_INT Attribute = 28 // PF
	FL_PROC_NUMCLONEERRORS_INT   Attribute = 29 // PF

	FL_FILE_OPENFLAGS_INT Attribute = 31 // FF
	FL_NETW_SIP_INT       Attribute = 31 // NF, NE
	FL_NETW_SPORT_INT     Attribute = 32 // NF, NE
	FL_NETW_DIP_INT       Attribute = 33 // NF, NE
	FL_NETW_DPORT_INT     Attribute = 34 // NF, NE
	FL_NETW_PROTO_INT     Attribute = 35 // NF, NE
)

// Integer attributes under the names of their record types.
const (
	EV_PROC_TS_INT      = TS_INT
	EV_PROC_TID_INT     = TID_INT
	EV_PROC_OPFLAGS_INT = OPFLAGS_INT
	EV_PROC_RET_INT     = RET_INT

	EV_FILE_TS_INT      = TS_INT
	EV_FILE_TID_INT     = TID_INT
	EV_FILE_OPFLAGS_INT = OPFLAGS_INT
	EV_FILE_RET_INT     = RET_INT

	FL_FILE_TS_INT            = TS_INT
	FL_FILE_TID_INT           = TID_INT
	FL_FILE_OPFLAGS_INT       = OPFLAGS_INT
	FL_FILE_ENDTS_INT         = ENDTS_INT
	FL_FILE_FD_INT            = FD_INT
	FL_FILE_NUMRRECVOPS_INT   = NUMRRECVOPS_INT
	FL_FILE_NUMWSENDOPS_INT   = NUMWSENDOPS_INT
	FL_FILE_NUMRRECVBYTES_INT = NUMRRECVBYTES_INT
	FL_FILE_NUMWSENDBYTES_INT = NUMWSENDBYTES_INT

	FL_NETW_TS_INT            = TS_INT
	FL_NETW_TID_INT           = TID_INT
	FL_NETW_OPFLAGS_INT       = OPFLAGS_INT
	FL_NETW_ENDTS_INT         = ENDTS_INT
	FL_NETW_FD_INT            = FD_INT
	FL_NETW_NUMRRECVOPS_INT   = NUMRRECVOPS_INT
	FL_NETW_NUMWSENDOPS_INT   = NUMWSENDOPS_INT
	FL_NETW_NUMRRECVBYTES_INT = NUMRRECVBYTES_INT
	FL_NETW_NUMWSENDBYTES_INT = NUMWSENDBYTES_INT
)

// String attributes of SYSFLOW_SRC.
const (
	SFHE_EXPORTER_STR               Attribute = 0
	SFHE_IP_STR                     Attribute = 1
	SFHE_FILENAME_STR               Attribute = 2
	CONT_ID_STR                     Attribute = 3
	CONT_NAME_STR                   Attribute = 4
	CONT_IMAGE_STR                  Attribute = 5
	CONT_IMAGEID_STR                Attribute = 6
	CONT_PODID_STRING_STR           Attribute = 7
	POD_ID_STR                      Attribute = 8
	POD_NAME_STR                    Attribute = 9
	POD_NODENAME_STR                Attribute = 10
	POD_HOSTIP_STR                  Attribute = 11
	POD_INTERNALIP_STR              Attribute = 12
	POD_NAMESPACE_STR               Attribute = 13
	POD_SERVICES_STR                Attribute = 14
	K8SE_MESSAGE_STR                Attribute = 15
	PROC_EXE_STR                    Attribute = 16
	PROC_EXEARGS_STR                Attribute = 17
	PROC_USERNAME_STR               Attribute = 18
	PROC_GROUPNAME_STR              Attribute = 19
	PROC_CONTAINERID_STRING_STR     Attribute = 20
	FILE_OID_STR                    Attribute = 21
	FILE_PATH_STR                   Attribute = 22
	FILE_CONTAINERID_STRING_STR     Attribute = 23
	SEC_FILE_OID_STR                Attribute = 24
	SEC_FILE_PATH_STR               Attribute = 25
	SEC_FILE_CONTAINERID_STRING_STR Attribute = 26
)

// Attributes of other types of SYSFLOW_SRC.
const (
	POD_HOSTIP_ANY     Attribute = 0 // []int64
	POD_INTERNALIP_ANY Attribute = 1 // []int64
	POD_SERVICES_ANY   Attribute = 2 // []*Service
	EV_PROC_ARGS_ANY   Attribute = 3 // []string, PE only
)

// FlatRecord is one flow or event together with everything it refers to. Sources, Ints, Strs and Anys are parallel:
// their first index is the position of a source. SysFlow's source, SYSFLOW_SRC, is always at position SYSFLOW_IDX in
// the built-in stages.
//
// A FlatRecord that a plugin or an action receives is its own to keep and change, except for the processes in Ptree,
// which are shared and must not be changed.
type FlatRecord struct {
	Sources    []Source
	Ints       [][]int64
	Strs       [][]string
	Anys       [][]any
	Ptree      []*Process // the process, its parent, its grandparent, …, as far as they are known
	GraphletID uint64     // unused
}
