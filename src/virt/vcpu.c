/* See vcpu.h. */
#include "virt/vcpu.h"

#include "lib/format.h"

#include <stdarg.h>

static void note_end(struct vcpu *vcpu, bool is_abnormal, const char *format,
                     va_list arguments) __attribute__((format(printf, 3, 0)));

static void note_end(struct vcpu *vcpu, bool is_abnormal, const char *format,
                     va_list arguments)
{
    if (vcpu->end[0] != '\0')
        return;
    format_text_list(vcpu->end, sizeof(vcpu->end), format, arguments);
    vcpu->end_is_abnormal = is_abnormal;
}

enum exit_outcome vcpu_end(struct vcpu *vcpu, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    note_end(vcpu, false, format, arguments);
    va_end(arguments);
    return EXIT_STOP;
}

enum exit_outcome vcpu_end_abnormally(struct vcpu *vcpu, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    note_end(vcpu, true, format, arguments);
    va_end(arguments);
    return EXIT_STOP;
}
