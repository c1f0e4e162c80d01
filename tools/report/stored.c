/* See stored.h. */
#include "stored.h"

#include "firmware/efi_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

struct variables {
    variable_reader *read;
    void *context;
};

static long read_part(const struct variables *variables, unsigned int part,
                      uint8_t bytes[EFI_REPORT_PART_SIZE])
{
    char name[sizeof(EFI_REPORT_NAME) + 10];

    snprintf(name, sizeof(name), EFI_REPORT_NAME "%02u", part);
    return variables->read(variables->context, name, bytes, EFI_REPORT_PART_SIZE);
}

/* Reads all parts; false if they are not what the header says. */
static bool read_parts(const struct variables *variables,
                       const struct efi_report_header *header,
                       uint8_t stream[EFI_REPORT_SIZE])
{
    size_t size = 0;

    for (unsigned int i = 0; i < header->parts; i++) {
        long length = read_part(variables, i, stream + size);
        if (length < 0 || length > EFI_REPORT_PART_SIZE)
            return false;
        size += (size_t)length;
    }
    return size == header->size;
}

static bool decompress(const struct efi_report_header *header, const uint8_t *stream,
                       struct report *report)
{
    uLongf size = header->text_size;
    char *text  = malloc(size + 1);

    if (text == NULL)
        return false;
    if (uncompress((Bytef *)text, &size, stream, header->size) != Z_OK ||
        size != header->text_size) {
        free(text);
        return false;
    }
    text[size] = '\0';
    *report    = (struct report){text, size};
    return true;
}

enum stored_problem stored_read(variable_reader *read, void *context,
                                struct report *report)
{
    static const char magic[] = EFI_REPORT_MAGIC;
    static uint8_t stream[EFI_REPORT_SIZE];
    const struct variables variables = {read, context};
    struct efi_report_header header;
    long size = read(context, EFI_REPORT_NAME, (uint8_t *)&header, sizeof(header));

    if (size < 0)
        return read_part(&variables, 0, stream) < 0 ? STORED_NONE : STORED_INCOMPLETE;
    if ((size_t)size < sizeof(header) || memcmp(header.magic, magic, sizeof(magic)) != 0)
        return STORED_DAMAGED;
    if (header.version != EFI_REPORT_VERSION)
        return STORED_UNKNOWN;
    if ((size_t)size != sizeof(header) || header.parts > EFI_REPORT_PARTS ||
        header.text_size > REPORT_MOST || !read_parts(&variables, &header, stream) ||
        !decompress(&header, stream, report))
        return STORED_DAMAGED;
    return STORED_OK;
}
