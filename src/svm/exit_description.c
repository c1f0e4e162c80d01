/* See exit.h. */
#include "svm/exit.h"

#include "lib/clamp.h"

#define NUMBERED_8(prefix, digit)                                           \
    prefix digit "0", prefix digit "1", prefix digit "2", prefix digit "3", \
        prefix digit "4", prefix digit "5", prefix digit "6", prefix digit "7"
#define NUMBERED_16(prefix)                                                   \
    NUMBERED_8(prefix, ""), prefix "8", prefix "9", prefix "10", prefix "11", \
        prefix "12", prefix "13", prefix "14", prefix "15"
#define NUMBERED_32(prefix)                                                  \
    NUMBERED_16(prefix), prefix "16", prefix "17", prefix "18", prefix "19", \
        NUMBERED_8(prefix, "2"), prefix "28", prefix "29", prefix "30", prefix "31"

const char *svm_exit_name(uint32_t row)
{
    static const char *const numbered[SVM_EXIT_INTR] = {
        NUMBERED_16("read of CR"), NUMBERED_16("write of CR"), NUMBERED_16("read of DR"),
        NUMBERED_16("write of DR"), NUMBERED_32("exception ")};
    static const char *const traps[] = {NUMBERED_16("write trap of CR")};
    static const struct {
        uint32_t code;
        const char *name;
    } names[] = {
#define EXIT_NAME(constant, code, name) {code, name},
        SVM_EXITS(EXIT_NAME)};

    if (row < ARRAY_SIZE(numbered))
        return numbered[clamp_index(row, ARRAY_SIZE(numbered))];
    if (row - SVM_EXIT_CR_WRITE_TRAP < ARRAY_SIZE(traps))
        return traps[clamp_index(row - SVM_EXIT_CR_WRITE_TRAP, ARRAY_SIZE(traps))];
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (svm_exit_row_index(names[i].code) == row)
            return names[i].name;
    }
    return "unknown";
}

static void describe_io(uint64_t info, struct text *words)
{
    unsigned int size = IO_SIZE(info);

    text_append(words, ": %s%s%s of %u byte%s, port 0x%x",
                (info & IO_REPEATED) != 0 ? "REP " : "",
                (info & IO_IN) != 0 ? "IN" : "OUT", (info & IO_STRING) != 0 ? "S" : "",
                size, size == 1 ? "" : "s", IO_PORT(info));
}

static void describe_nested_page_fault(const struct exit_record *record,
                                       struct text *words)
{
    uint64_t info      = record->detail;
    const char *access = (info & NESTED_FAULT_FETCH) != 0   ? "fetch"
                         : (info & NESTED_FAULT_WRITE) != 0 ? "write"
                                                            : "read";

    text_append(words, ": %s at guest-physical 0x%lx%s", access, record->address,
                (info & NESTED_FAULT_WALK) != 0 ? " by the guest's page walk" : "");
}

void svm_exit_describe(const struct exit_record *record, struct text *words)
{
    uint64_t code = record->reason;

    if (SVM_EXIT_IS_INVALID(code)) {
        text_append(words, "failed entry: VMEXIT_INVALID");
        return;
    }
    text_append(words, "%s", svm_exit_name(svm_exit_row_index(code)));
    if (code == SVM_EXIT_IO)
        describe_io(record->detail, words);
    else if (code == SVM_EXIT_MSR)
        text_append(words, " of 0x%lx", record->detail);
    else if (code == SVM_EXIT_CR_WRITE + 4)
        text_append(words, ": 0x%lx", record->detail);
    else if (code == SVM_EXIT_NESTED_PAGE_FAULT)
        describe_nested_page_fault(record, words);
}
