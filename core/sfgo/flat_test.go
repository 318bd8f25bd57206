package sfgo

import "testing"

// TestSlots holds attributes to the positions that plugins were compiled with, and those that share a slot to each other.
func TestSlots(t *testing.T) {
	for _, tt := range []struct {
		name      string
		got, want Attribute
	}{
		{"SF_REC_TYPE", SF_REC_TYPE, 0}, {"POD_TS_INT", POD_TS_INT, 4}, {"K8SE_TS_INT", K8SE_TS_INT, 8},
		{"PROC_STATE_INT", PROC_STATE_INT, 9}, {"PROC_ENTRY_INT", PROC_ENTRY_INT, 18}, {"FILE_RESTYPE_INT", FILE_RESTYPE_INT, 21},
		{"EV_PROC_TID_INT", EV_PROC_TID_INT, 23}, {"EV_FILE_RET_INT", EV_FILE_RET_INT, 25}, {"FL_FILE_ENDTS_INT", FL_FILE_ENDTS_INT, 25},
		{"FL_NETW_FD_INT", FL_NETW_FD_INT, 26}, {"SEC_FILE_STATE_INT", SEC_FILE_STATE_INT, 26},
		{"FL_PROC_NUMCLONEERRORS_INT", FL_PROC_NUMCLONEERRORS_INT, 29}, {"FL_FILE_NUMWSENDBYTES_INT", FL_FILE_NUMWSENDBYTES_INT, 30},
		{"FL_FILE_OPENFLAGS_INT", FL_FILE_OPENFLAGS_INT, FL_NETW_SIP_INT}, {"FL_NETW_PROTO_INT", FL_NETW_PROTO_INT, INT_ARRAY_SIZE - 1},
		{"CONT_ID_STR", CONT_ID_STR, 3}, {"POD_ID_STR", POD_ID_STR, 8}, {"K8SE_MESSAGE_STR", K8SE_MESSAGE_STR, 15},
		{"PROC_EXE_STR", PROC_EXE_STR, 16}, {"FILE_OID_STR", FILE_OID_STR, 21}, {"SEC_FILE_OID_STR", SEC_FILE_OID_STR, 24},
		{"SEC_FILE_CONTAINERID_STRING_STR", SEC_FILE_CONTAINERID_STRING_STR, STR_ARRAY_SIZE - 1},
		{"EV_PROC_ARGS_ANY", EV_PROC_ARGS_ANY, ANY_ARRAY_SIZE - 1},
	} {
		if tt.got != tt.want {
			t.Errorf("%s is %d, want %d", tt.name, tt.got, tt.want)
		}
	}
}

// TestRecordTypes holds the record types to the union indices of the schema.
func TestRecordTypes(t *testing.T) {
	for branch, want := range map[RecUnionTypeEnum]int64{
		RecUnionTypeEnumSFHeader: HEADER, RecUnionTypeEnumContainer: CONT, RecUnionTypeEnumProcess: PROC, RecUnionTypeEnumFile: FILE,
		RecUnionTypeEnumProcessEvent: PROC_EVT, RecUnionTypeEnumNetworkFlow: NET_FLOW, RecUnionTypeEnumFileFlow: FILE_FLOW,
		RecUnionTypeEnumFileEvent: FILE_EVT, RecUnionTypeEnumNetworkEvent: NET_EVT, RecUnionTypeEnumProcessFlow: PROC_FLOW,
		RecUnionTypeEnumPod: POD, RecUnionTypeEnumK8sEvent: K8S_EVT,
	} {
		if int64(branch) != want {
			t.Errorf("branch %d is record type %d", branch, want)
		}
	}
	if UNKNOWN_TYPE != 12 || OP_RENAME != 1048576 || O_CLOEXEC != 4096 {
		t.Errorf("UNKNOWN_TYPE %d, OP_RENAME %d, O_CLOEXEC %d", UNKNOWN_TYPE, OP_RENAME, O_CLOEXEC)
	}
}
