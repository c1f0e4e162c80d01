/*
 * The status that functions return if they can fail. The result is the last parameter,
 * untouched on failure. An error is logged once, where the offending values are known.
 */
#ifndef HYMIR_LIB_STATUS_H
#define HYMIR_LIB_STATUS_H

/* Marks a function whose result must not be ignored. */
#define MUST_CHECK __attribute__((warn_unused_result))

enum status {
    STATUS_OK,
    STATUS_NOT_FOUND,
    STATUS_NO_MEMORY,    /* no free frame, or a fixed table is full */
    STATUS_OUT_OF_RANGE, /* a value exceeds what the machine or Hymir supports */
    STATUS_MALFORMED,    /* external data violates its format */
    STATUS_UNSUPPORTED,  /* missing in the processor or platform */
    STATUS_TIMEOUT,
};

#endif
