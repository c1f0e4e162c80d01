/* See stopwatch.h. */
#include "vmx/stopwatch.h"

#include "cpu/instructions.h"
#include "platform/clock.h"
#include "vmx/entry.h"
#include "vmx/vmcs.h"

#define KIND_TIMEOUT_US 50000

/* The instructions that are measured by themselves; false if one fails. */
typedef bool measured_instruction(const struct stopwatch_request *request);

static bool execute_nothing(const struct stopwatch_request *request)
{
    (void)request;
    return true;
}

static bool execute_vmread(const struct stopwatch_request *request)
{
    uint64_t value;
    (void)request;
    return vmread_quick(VMCS_GUEST_RIP, &value);
}

static bool execute_vmwrite(const struct stopwatch_request *request)
{
    return vmwrite_quick(VMCS_GUEST_RIP, request->cpuid);
}

static bool execute_vmptrld(const struct stopwatch_request *request)
{
    return vmptrld(request->vmcs) == VMX_SUCCEED;
}

static bool execute_invept(const struct stopwatch_request *request)
{
    (void)request;
    return invept_all() == VMX_SUCCEED;
}

static bool execute_invvpid(const struct stopwatch_request *request)
{
    (void)request;
    return invvpid_all() == VMX_SUCCEED;
}

/* A distance of two times as a sample. */
static uint32_t sample_of(uint64_t ticks)
{
    return ticks < UINT32_MAX ? (uint32_t)ticks : UINT32_MAX;
}

static struct statistics measure(const struct stopwatch_request *request,
                                 measured_instruction *execute)
{
    struct deadline deadline = deadline_in(KIND_TIMEOUT_US);
    uint32_t count           = 0;

    while (count < TIMING_ROUNDS && !deadline_has_passed(&deadline)) {
        uint64_t start = rdtsc();
        bool succeeded = execute(request);
        uint64_t end   = rdtsc();
        if (!succeeded)
            return (struct statistics){0};
        request->samples[count++] = sample_of(end - start);
    }
    return statistics_of(request->samples, count);
}

/* A run of the guest that exits at one instruction again and again. */
struct timed_run {
    struct vcpu_run run; /* first: on_exit gets its address */
    uint32_t *samples;
    uint32_t count;
    uint64_t reason; /* of the exits that are measured */
    uint64_t start;  /* of the round: 0 before the first */
    struct deadline deadline;
};

static enum run_next on_timed_exit(struct vcpu_run *run)
{
    uint64_t end            = rdtsc();
    struct timed_run *timed = (struct timed_run *)run;
    uint64_t reason;

    if (!vmread_quick(VMCS_EXIT_REASON, &reason))
        return RUN_STOP;
    if (reason == EXIT_REASON_EXCEPTION_OR_NMI)
        raise_nmi(); /* the guest raises no exception: it is Hymir's NMI, and no round */
    else if (reason != timed->reason)
        return RUN_STOP;
    else if (timed->start != 0)
        timed->samples[timed->count++] = sample_of(end - timed->start);
    if (timed->count == TIMING_ROUNDS || deadline_has_passed(&timed->deadline))
        return RUN_STOP;
    timed->start = rdtsc();
    return RUN_AGAIN;
}

/* RIP stays at the instruction, so that it is all that the guest ever executes. */
static struct statistics measure_exit(const struct stopwatch_request *request,
                                      uint64_t rip, uint64_t reason)
{
    struct timed_run timed = {
        .run      = {.on_exit = on_timed_exit, .is_launched = true},
        .samples  = request->samples,
        .reason   = reason,
        .deadline = deadline_in(KIND_TIMEOUT_US),
    };

    if (vmcs_write(VMCS_GUEST_RIP, rip) != STATUS_OK ||
        vmx_run(&timed.run) != VMX_SUCCEED)
        return (struct statistics){0};
    return statistics_of(timed.samples, timed.count);
}

static uint32_t less(uint32_t ticks, uint32_t overhead)
{
    return ticks > overhead ? ticks - overhead : 0;
}

/* Takes off what two RDTSCs cost. */
static void take_off(struct timings *timings, uint32_t overhead)
{
    for (enum timing_kind kind = TIMING_EXIT_CPUID; kind < TIMING_KINDS; kind++) {
        struct statistics *statistics = &timings->kind[kind];
        statistics->low               = less(statistics->low, overhead);
        statistics->median            = less(statistics->median, overhead);
        statistics->high              = less(statistics->high, overhead);
    }
}

static bool has_all(uint64_t value, uint64_t bits)
{
    return (value & bits) == bits;
}

void stopwatch_run(const struct stopwatch_request *request, struct timings *timings)
{
    uint64_t cap = vmx_capability_value(request->capabilities, MSR_IA32_VMX_EPT_VPID_CAP);

    timings->kind[TIMING_EXIT_CPUID] =
        measure_exit(request, request->cpuid, EXIT_REASON_CPUID);
    timings->kind[TIMING_EXIT_VMCALL] =
        measure_exit(request, request->vmcall, EXIT_REASON_VMCALL);
    timings->kind[TIMING_VMREAD]  = measure(request, execute_vmread);
    timings->kind[TIMING_VMWRITE] = measure(request, execute_vmwrite);
    timings->kind[TIMING_VMPTRLD] = measure(request, execute_vmptrld);
    if (has_all(cap, EPT_CAP_INVEPT | EPT_CAP_INVEPT_ALL))
        timings->kind[TIMING_INVEPT] = measure(request, execute_invept);
    if (has_all(cap, VPID_CAP_INVVPID | VPID_CAP_INVVPID_ALL))
        timings->kind[TIMING_INVVPID] = measure(request, execute_invvpid);
    take_off(timings, measure(request, execute_nothing).median);
}
