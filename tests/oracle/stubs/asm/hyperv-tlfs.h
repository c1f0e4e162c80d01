/* The last 32 bytes of the control area are software's. */
struct hv_vmcb_enlightenments {
    unsigned char bytes[32];
};
