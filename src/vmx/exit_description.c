/* See exit.h. */
#include "vmx/exit.h"

#include "vmx/qualification.h"
#include "vmx/vmcs.h"

static const char *const register_names[] = {"RAX", "RCX", "RDX", "RBX", "RSP", "RBP",
                                             "RSI", "RDI", "R8",  "R9",  "R10", "R11",
                                             "R12", "R13", "R14", "R15"};

static void describe_io(uint64_t qualification, struct text *words)
{
    bool is_in        = (qualification & IO_IN) != 0;
    bool is_string    = (qualification & IO_STRING) != 0;
    unsigned int size = IO_SIZE(qualification);

    text_append(words, ": %s%s%s of %u byte%s, port 0x%x",
                (qualification & IO_REPEATED) != 0 ? "REP " : "", is_in ? "IN" : "OUT",
                is_string ? "S" : "", size, size == 1 ? "" : "s", IO_PORT(qualification));
}

static void describe_control_register(uint64_t qualification, struct text *words)
{
    const char *general = register_names[ACCESS_GENERAL(qualification)];
    unsigned int cr     = ACCESS_REGISTER(qualification);
    unsigned int type   = ACCESS_TYPE(qualification);

    if (type == ACCESS_TO_CR)
        text_append(words, ": MOV to CR%u from %s", cr, general);
    else if (type == ACCESS_FROM_CR)
        text_append(words, ": MOV from CR%u to %s", cr, general);
    else if (type == ACCESS_CLTS)
        text_append(words, ": CLTS");
    else
        text_append(words, ": LMSW of 0x%lx", ACCESS_LMSW(qualification));
}

static void describe_ept_violation(const struct exit_record *record, struct text *words)
{
    uint64_t qualification = record->detail;
    uint64_t allowed       = EPT_VIOLATION_PERMISSIONS(qualification);
    const char *access     = (qualification & EPT_VIOLATION_FETCH) != 0   ? "fetch"
                             : (qualification & EPT_VIOLATION_WRITE) != 0 ? "write"
                                                                          : "read";
    bool is_walk           = (qualification & EPT_VIOLATION_OF_LINEAR) != 0 &&
                   (qualification & EPT_VIOLATION_TRANSLATED) == 0;

    text_append(words, ": %s at guest-physical 0x%lx%s, EPT permissions %c%c%c", access,
                record->address, is_walk ? " by the guest's page walk" : "",
                (allowed & 1) != 0 ? 'r' : '-', (allowed & 2) != 0 ? 'w' : '-',
                (allowed & 4) != 0 ? 'x' : '-');
}

static void describe_task_switch(uint64_t qualification, struct text *words)
{
    static const char *const sources[] = {"CALL", "IRET", "JMP", "a task gate"};

    text_append(words, " to selector 0x%x by %s", TASK_SWITCH_SELECTOR(qualification),
                sources[TASK_SWITCH_SOURCE(qualification)]);
}

void exit_describe(const struct exit_record *record, struct text *words)
{
    uint32_t reason = EXIT_REASON_BASIC(record->reason);

    if ((record->reason & EXIT_REASON_ENTRY_FAILURE) != 0) {
        text_append(words, "failed entry: %s, qualification 0x%lx",
                    exit_reason_name(reason), record->detail);
        return;
    }
    text_append(words, "%s", exit_reason_name(reason));
    switch (reason) {
    case EXIT_REASON_EXCEPTION_OR_NMI:
        text_append(words, ": vector %lu", INTERRUPTION_VECTOR(record->detail));
        break;
    case EXIT_REASON_INTERRUPT_WINDOW:
        text_append(words, ": vector %lu is delivered", record->detail);
        break;
    case EXIT_REASON_RDMSR:
    case EXIT_REASON_WRMSR:
        text_append(words, " of 0x%lx", record->detail);
        break;
    case EXIT_REASON_IO_INSTRUCTION:
        describe_io(record->detail, words);
        break;
    case EXIT_REASON_CONTROL_REGISTER:
        describe_control_register(record->detail, words);
        break;
    case EXIT_REASON_EPT_VIOLATION:
        describe_ept_violation(record, words);
        break;
    case EXIT_REASON_EPT_MISCONFIGURATION:
        text_append(words, " at guest-physical 0x%lx", record->address);
        break;
    case EXIT_REASON_TASK_SWITCH:
        describe_task_switch(record->detail, words);
        break;
    default:
        break;
    }
}
