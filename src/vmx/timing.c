/* See timing.h. */
#include "vmx/timing.h"

const char *timing_name(enum timing_kind kind)
{
    switch (kind) {
    case TIMING_EXIT_CPUID:
        return "VM exit by CPUID";
    case TIMING_EXIT_VMCALL:
        return "VM exit by VMCALL";
    case TIMING_VMREAD:
        return "VMREAD";
    case TIMING_VMWRITE:
        return "VMWRITE";
    case TIMING_VMPTRLD:
        return "VMPTRLD";
    case TIMING_INVEPT:
        return "INVEPT";
    case TIMING_INVVPID:
        return "INVVPID";
    case TIMING_KINDS:
        break;
    }
    return "unknown";
}

bool timings_are_there(const struct timings *timings)
{
    for (enum timing_kind kind = TIMING_EXIT_CPUID; kind < TIMING_KINDS; kind++) {
        if (timings->kind[kind].count > 0)
            return true;
    }
    return false;
}
