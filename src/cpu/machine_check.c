/* See machine_check.h. */
#include "cpu/machine_check.h"

#include "cpu/cpuid.h"
#include "cpu/percpu.h"
#include "lib/log.h"
#include "lib/test_hooks.h"

#define DESCRIPTION_SIZE 320

/* How long a CPU waits for another one to find the error: 1 to 10 ms, in PAUSEs. */
#define WAIT_PAUSES 200000U

static machine_check_owner *find_owner;

/* How many errors the handlers of all CPUs have found. */
static atomic_uint found_count;

void machine_check_set_owner(machine_check_owner *owner)
{
    find_owner = owner;
}

/* ---- Registers
 * --------------------------------------------------------------------------- */

static uint64_t read_or_zero(uint32_t msr)
{
    uint64_t value;

    (void)rdmsr_safe(msr, &value);
    return value;
}

static struct machine_check_rules read_rules(void)
{
    const struct cpuid_snapshot snapshot = {.leaf_0 = cpuid(CPUID_LEAF_BASIC, 0)};
    bool is_amd                          = cpuid_is_amd(&snapshot);
    uint64_t capabilities                = read_or_zero(MSR_IA32_MCG_CAP);
    uint32_t amd =
        is_amd ? cpuid_read_existing(CPUID_LEAF_POWER_MANAGEMENT, 0, cpuid).ebx : 0;
    struct machine_check_rules rules = {
        .is_amd                = is_amd,
        .has_recovery          = is_amd ? (amd & CPUID_80000007_EBX_SUCCOR) != 0
                                        : (capabilities & MCG_CAP_SER_P) != 0,
        .has_overflow_recovery = (amd & CPUID_80000007_EBX_MCA_OVERFLOW_RECOVERY) != 0,
        .is_scalable           = (amd & CPUID_80000007_EBX_SCALABLE_MCA) != 0,
    };

    if (test_hook_set_machine_check_rules != NULL)
        test_hook_set_machine_check_rules(&rules);
    return rules;
}

static unsigned int bank_count(const struct machine_check_rules *rules)
{
    uint64_t needed = CPUID_1_EDX_MCE | CPUID_1_EDX_MCA;

    if ((cpuid(CPUID_LEAF_FEATURES, 0).edx & needed) != needed)
        return 0;
    unsigned int count = MCG_CAP_COUNT(read_or_zero(MSR_IA32_MCG_CAP));
    return count < MC_BANKS || rules->is_scalable ? count : MC_BANKS;
}

unsigned int machine_check_bank_count(void)
{
    const struct machine_check_rules rules = read_rules();

    return bank_count(&rules);
}

static uint32_t bank_msr(const struct machine_check_rules *rules, unsigned int bank,
                         enum machine_check_register which)
{
    return rules->is_scalable
               ? MSR_MCA_CTL_BANK0 + bank * MC_SCALABLE_BANK_SIZE + (uint32_t)which
               : MSR_IA32_MC0_CTL + bank * MC_BANK_SIZE + (uint32_t)which;
}

/* Reads a bank. Returns whether it has an error. */
static bool read_bank(const struct machine_check_rules *rules, unsigned int number,
                      struct machine_check_bank *bank)
{
    uint64_t status = read_or_zero(bank_msr(rules, number, MC_STATUS));

    *bank = (struct machine_check_bank){.number = number, .status = status};
    if ((status & MC_STATUS_VAL) == 0)
        return false;
    if ((status & MC_STATUS_ADDRV) != 0)
        bank->address = read_or_zero(bank_msr(rules, number, MC_ADDR));
    if ((status & MC_STATUS_MISCV) != 0)
        bank->misc = read_or_zero(bank_msr(rules, number, MC_MISC));
    if (rules->is_scalable)
        bank->config = read_or_zero(bank_msr(rules, number, MC_CONFIG));
    return true;
}

/*
 * Reads the other place of a bank of scalable MCA for a deferred error, which MC_STATUS
 * may have too, or not, or no longer. Returns whether it has one.
 */
static bool read_deferred(const struct machine_check_rules *rules, unsigned int number,
                          struct machine_check_bank *bank)
{
    uint64_t config =
        rules->is_scalable ? read_or_zero(bank_msr(rules, number, MC_CONFIG)) : 0;

    if ((config & MC_CONFIG_DEFERRED_LOG) == 0)
        return false;
    *bank = (struct machine_check_bank){
        .number = number,
        .status = read_or_zero(bank_msr(rules, number, MC_DESTAT)) & ~MC_STATUS_MISCV,
        .config = config,
    };
    if ((bank->status & MC_STATUS_ADDRV) != 0)
        bank->address = read_or_zero(bank_msr(rules, number, MC_DEADDR));
    return (bank->status & MC_STATUS_VAL) != 0;
}

static void clear_bank(const struct machine_check_rules *rules, unsigned int number,
                       enum machine_check_register status)
{
    (void)wrmsr_safe(bank_msr(rules, number, status), 0);
}

/* ---- #MC
 * --------------------------------------------------------------------------------- */

/* Returns whether the lost data is in a guest's memory. May end the guest. */
static bool is_in_guest_memory(const struct machine_check_bank *bank,
                               const struct machine_check_rules *rules, bool is_to_end)
{
    uint64_t address;

    return machine_check_find_address(bank, rules, &address) && find_owner != NULL &&
           find_owner(address, is_to_end);
}

/*
 * Returns what follows a signaled error. Code that has used lost data must not go on: it
 * is the interrupted code if EIPV or, on AMD's processors, TCC is set.
 */
static enum machine_check_outcome judge(const struct machine_check_bank *bank,
                                        const struct machine_check_rules *rules,
                                        uint64_t mcg_status, bool is_in_guest)
{
    bool is_by_interrupted = (mcg_status & MCG_STATUS_EIPV) != 0 ||
                             (rules->is_amd && (bank->status & MC_STATUS_TCC) != 0);

    switch (machine_check_judge(bank, rules)) {
    case MACHINE_CHECK_HARMLESS:
    case MACHINE_CHECK_LATENT:
        return MACHINE_CHECK_RESUME;
    case MACHINE_CHECK_USED:
        if (!is_in_guest_memory(bank, rules, false))
            return MACHINE_CHECK_STOP;
        if (!is_by_interrupted)
            return MACHINE_CHECK_RESUME;
        return is_in_guest ? MACHINE_CHECK_END_GUEST : MACHINE_CHECK_STOP;
    case MACHINE_CHECK_FATAL:
        break;
    }
    return MACHINE_CHECK_STOP;
}

/*
 * Returns whether the #MC may be for an error in the banks of another CPU, which has
 * found it or does so soon: Intel's processors send it to all, unless LMCE is set.
 */
static bool is_found_elsewhere(const struct machine_check_rules *rules,
                               uint64_t mcg_status)
{
    if (rules->is_amd || (mcg_status & (MCG_STATUS_EIPV | MCG_STATUS_LMCE)) != 0)
        return false;
    for (unsigned int i = 0; i < WAIT_PAUSES; i++) {
        if (atomic_load(&found_count) != this_cpu()->machine_checks.found_count)
            return true;
        cpu_pause();
    }
    return false;
}

/* Moves the signaled errors out of the banks, and ends the #MC. */
static void take_errors(const struct machine_check_rules *rules, unsigned int count)
{
    struct machine_check_queue *queue = &this_cpu()->machine_checks;
    struct machine_check_bank bank;

    for (unsigned int i = 0; i < count; i++) {
        if (!read_bank(rules, i, &bank) || !machine_check_is_signaled(&bank, rules))
            continue;
        queue->bank[queue->written % MACHINE_CHECK_QUEUE] = bank;
        atomic_fetch_add(&queue->written, 1);
        clear_bank(rules, i, MC_STATUS);
    }
    queue->found_count            = atomic_load(&found_count);
    this_cpu()->has_machine_check = true;
    (void)wrmsr_safe(MSR_IA32_MCG_STATUS, 0);
}

/* Returns what follows a #MC, by all errors of the banks that are signaled. */
static enum machine_check_outcome judge_all(const struct machine_check_rules *rules,
                                            unsigned int count, bool is_in_guest)
{
    const struct machine_check_queue *queue = &this_cpu()->machine_checks;
    unsigned int room   = MACHINE_CHECK_QUEUE - (queue->written - queue->read);
    unsigned int found  = 0;
    uint64_t mcg_status = read_or_zero(MSR_IA32_MCG_STATUS);
    bool can_resume     = (mcg_status & MCG_STATUS_RIPV) != 0;
    struct machine_check_bank bank;
    enum machine_check_outcome worst =
        can_resume ? MACHINE_CHECK_RESUME : MACHINE_CHECK_END_GUEST;

    if (!can_resume && !is_in_guest)
        return MACHINE_CHECK_STOP;
    for (unsigned int i = 0; i < count; i++) {
        if (!read_bank(rules, i, &bank) || !machine_check_is_signaled(&bank, rules))
            continue;
        atomic_fetch_add(&found_count, 1);
        found++;
        enum machine_check_outcome outcome = judge(&bank, rules, mcg_status, is_in_guest);
        if (outcome == MACHINE_CHECK_STOP || found > room)
            return MACHINE_CHECK_STOP;
        if (outcome == MACHINE_CHECK_END_GUEST)
            worst = outcome;
    }
    return found > 0 || (can_resume && is_found_elsewhere(rules, mcg_status))
               ? worst
               : MACHINE_CHECK_STOP;
}

enum machine_check_outcome machine_check_take(bool is_in_guest)
{
    const struct machine_check_rules rules = read_rules();
    unsigned int count                     = bank_count(&rules);
    enum machine_check_outcome outcome =
        count == 0 ? MACHINE_CHECK_STOP : judge_all(&rules, count, is_in_guest);

    if (outcome != MACHINE_CHECK_STOP)
        take_errors(&rules, count);
    return outcome;
}

/* ---- Reports
 * ----------------------------------------------------------------------------- */

/* For a panic if remark is NULL. */
static void log_bank(const struct machine_check_bank *bank,
                     const struct machine_check_rules *rules, const char *remark)
{
    const char *kind = machine_check_kind(bank, rules->is_amd);
    TEXT_DECLARE(words, DESCRIPTION_SIZE);

    machine_check_describe(bank, rules->is_amd, &words);
    if (remark == NULL)
        log_plain("hymir: panic: cpu %u: %s machine-check error: %s", this_cpu()->index,
                  kind, words.buffer);
    else
        log_warning("cpu %u: %s machine-check error%s: %s", this_cpu()->index, kind,
                    remark, words.buffer);
}

/* Logs an error and ends the guest in whose memory it is, if data is lost. */
static void handle_error(const struct machine_check_bank *bank,
                         const struct machine_check_rules *rules)
{
    log_bank(bank, rules, "");
    if (machine_check_judge(bank, rules) != MACHINE_CHECK_HARMLESS)
        (void)is_in_guest_memory(bank, rules, true);
}

/* Handles what a bank has, except for an error that its #MC's handler has to take. */
static void look_at_bank(const struct machine_check_rules *rules, unsigned int number)
{
    struct machine_check_bank bank, deferred;
    bool has_error    = read_bank(rules, number, &bank);
    bool is_for_other = has_error && machine_check_is_signaled(&bank, rules);

    if (has_error && !is_for_other) {
        clear_bank(rules, number, MC_STATUS);
        handle_error(&bank, rules);
    }
    if (!read_deferred(rules, number, &deferred))
        return;
    clear_bank(rules, number, MC_DESTAT);
    if (!has_error || is_for_other || (bank.status & MC_STATUS_DEFERRED) == 0)
        handle_error(&deferred, rules);
}

/* Takes the oldest error that a #MC has left. Returns false if there is none. */
static bool take_from_queue(struct machine_check_bank *bank)
{
    struct machine_check_queue *queue = &this_cpu()->machine_checks;

    if (queue->read == queue->written)
        return false;
    *bank = queue->bank[queue->read % MACHINE_CHECK_QUEUE];
    atomic_fetch_add(&queue->read, 1);
    return true;
}

void machine_check_look(void)
{
    const struct machine_check_rules rules = read_rules();
    unsigned int count                     = bank_count(&rules);
    struct machine_check_bank bank;

    this_cpu()->has_machine_check = false;
    while (take_from_queue(&bank))
        handle_error(&bank, &rules);
    for (unsigned int i = 0; i < count; i++)
        look_at_bank(&rules, i);
}

void machine_check_log(void)
{
    const struct machine_check_rules rules = read_rules();
    unsigned int count                     = bank_count(&rules);
    unsigned int logged                    = 0;
    struct machine_check_bank bank;

    for (; take_from_queue(&bank); logged++)
        log_bank(&bank, &rules, NULL);
    for (unsigned int i = 0; i < count; i++) {
        if (!read_bank(&rules, i, &bank))
            continue;
        log_bank(&bank, &rules, NULL);
        logged++;
    }
    if (count > 0 && logged == 0)
        log_plain("hymir: panic: cpu %u: no error in any of its %u machine-check banks; "
                  "IA32_MCG_STATUS 0x%lx",
                  this_cpu()->index, count, read_or_zero(MSR_IA32_MCG_STATUS));
}

/* ---- Start
 * ------------------------------------------------------------------------------- */

/*
 * Returns the first bank whose IA32_MCi_CTL is for software. On early processors of
 * family 6, that of bank 0 is a setting of the platform's: SDM 3B, "Machine-Check
 * Initialization".
 */
static unsigned int first_writable_bank(void)
{
    const struct cpuid_snapshot snapshot   = {.leaf_1 = cpuid(CPUID_LEAF_FEATURES, 0)};
    const struct cpuid_signature signature = cpuid_signature(&snapshot);

    return signature.family == 6 && signature.model < MC0_CTL_LEAST_MODEL ? 1 : 0;
}

/* Enables recovery: otherwise each uncorrected error of the bank resets the machine. */
static void enable_mcax(const struct machine_check_rules *rules, unsigned int number)
{
    uint32_t msr    = bank_msr(rules, number, MC_CONFIG);
    uint64_t config = read_or_zero(msr);

    if ((config & MC_CONFIG_MCAX) != 0)
        (void)wrmsr_safe(msr, config | MC_CONFIG_ENABLE_MCAX);
}

/* Logs and clears what a bank has. */
static void clear_old_errors(const struct machine_check_rules *rules, unsigned int number)
{
    const char *remark = " from before the start";
    struct machine_check_bank bank;

    if (read_bank(rules, number, &bank)) {
        log_bank(&bank, rules, remark);
        clear_bank(rules, number, MC_STATUS);
    }
    if (read_deferred(rules, number, &bank)) {
        log_bank(&bank, rules, remark);
        clear_bank(rules, number, MC_DESTAT);
    }
}

void machine_check_enable(void)
{
    const struct machine_check_rules rules = read_rules();
    unsigned int count                     = bank_count(&rules);

    if (count == 0)
        return;
    if ((read_or_zero(MSR_IA32_MCG_CAP) & MCG_CAP_CTL_P) != 0)
        (void)wrmsr_safe(MSR_IA32_MCG_CTL, UINT64_MAX);
    for (unsigned int i = 0; i < count; i++) {
        clear_old_errors(&rules, i);
        if (rules.is_scalable)
            enable_mcax(&rules, i);
        if (i >= first_writable_bank())
            (void)wrmsr_safe(bank_msr(&rules, i, MC_CTL), UINT64_MAX);
    }
    (void)wrmsr_safe(MSR_IA32_MCG_STATUS, 0);
}
