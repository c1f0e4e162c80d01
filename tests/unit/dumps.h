/*
 * The dumps of tests/dumps, made up in the layouts of Linux's and Xen's, and what posting
 * does to such a text.
 */
#ifndef HYMIR_TESTS_DUMPS_H
#define HYMIR_TESTS_DUMPS_H

#include "unit.h"

#define DUMP_TEXT_SIZE 65536

/* A text, not NUL-terminated. */
struct posting {
    char text[DUMP_TEXT_SIZE];
    size_t length;
};

static inline void posting_add(struct posting *posting, const char *text, size_t length)
{
    assert_true(length <= sizeof(posting->text) - posting->length);
    memcpy(posting->text + posting->length, text, length);
    posting->length += length;
}

static inline void posting_add_string(struct posting *posting, const char *text)
{
    posting_add(posting, text, strlen(text));
}

/* Reads tests/dumps/NAME.txt. */
static inline void posting_load(struct posting *posting, const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), DUMPS "/%s.txt", name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    posting->length = fread(posting->text, 1, sizeof(posting->text), file);
    fclose(file);
    assert_in_range(posting->length, 1, sizeof(posting->text) - 1);
}

/* Returns the length of the line at a position, with its end. */
static inline size_t posting_line(const struct posting *posting, size_t position)
{
    const char *line = posting->text + position;
    const char *end  = memchr(line, '\n', posting->length - position);
    return end == NULL ? posting->length - position : (size_t)(end - line) + 1;
}

/* Puts a prefix, which may have a number as %d, before each line. */
static inline void posting_prefix(struct posting *to, const struct posting *from,
                                  const char *prefix)
{
    char words[128];
    int number = 0;

    to->length = 0;
    for (size_t i = 0; i < from->length; i += posting_line(from, i)) {
        snprintf(words, sizeof(words), prefix, number++);
        posting_add_string(to, words);
        posting_add(to, from->text + i, posting_line(from, i));
    }
}

/* Wraps lines at a blank before width, as mail does; quote begins each further line. */
static inline void posting_wrap(struct posting *to, const struct posting *from,
                                size_t width, const char *quote)
{
    to->length = 0;
    for (size_t i = 0; i < from->length;) {
        size_t length = posting_line(from, i), cut = length;
        if (length > width) {
            for (cut = width; cut > 0 && from->text[i + cut] != ' '; cut--)
                continue;
            cut = cut > width / 3 ? cut : length;
        }
        posting_add(to, from->text + i, cut);
        i += cut;
        if (cut < length) {
            posting_add_string(to, "\n");
            posting_add_string(to, quote);
            i++; /* the blank */
        }
    }
}

/* Puts lines of other programs between the lines. */
static inline void posting_interleave(struct posting *to, const struct posting *from)
{
    static const char *const others[] = {
        "[  812.117355] usb 1-4: new high-speed USB device number 9 using xhci_hcd\n",
        "RIP: 0010:native_safe_halt+0xe/0x10\n",
        "RSP: 0018:ffffa1b8c0017e88 EFLAGS: 00000246 ORIG_RAX: ffffffffffffff13\n",
        "CS:  0010 DS: 0000 ES: 0000 CR0: 0000000080050033\n",
        "CR2: 00007f5e1c0e9000 CR3: 0000000109d3a000 CR4: 00000000003506f0\n",
        "EAX=00000000 EBX=00000000 ECX=00000000 EDX=000206d7\n",
        "CS =f000 ffff0000 0000ffff 00009b00\n",
        "CR0=60000010 CR2=00000000 CR3=00000000 CR4=00000000\n",
        "RIP=0000000000000000 RFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=0\n",
        "RSI=0000000000000000 RDI=0000000000000000 RBP=0000000000000000 "
        "RSP=0000000000000000\n",
        "GDT=     0000000000000000 0000ffff\n",
        "DR6=00000000ffff0ff0 DR7=0000000000000401\n",
        "EFER=0000000000000000\n",
        "\n",
    };
    size_t other = 0;

    to->length = 0;
    for (size_t i = 0; i < from->length; i += posting_line(from, i)) {
        posting_add(to, from->text + i, posting_line(from, i));
        posting_add_string(to, others[other++ % (sizeof(others) / sizeof(others[0]))]);
    }
}

#endif
