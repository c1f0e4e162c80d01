/*
 * What a function that can fail returns. Results go through the last parameter, which a
 * failure leaves untouched; the place that knows the values logs them, once.
 */
#ifndef HYMIR_LIB_STATUS_H
#define HYMIR_LIB_STATUS_H

/* On a function whose result the caller has to look at. */
#define MUST_CHECK __attribute__((warn_unused_result))

enum status {
    STATUS_OK,
    STATUS_NOT_FOUND,    /* what was looked for is not there */
    STATUS_NO_MEMORY,    /* no frame, or no room in a fixed table */
    STATUS_OUT_OF_RANGE, /* a number beyond what the machine or Hymir supports */
    STATUS_MALFORMED,    /* foreign bytes that contradict their own format */
    STATUS_UNSUPPORTED,  /* the processor or the platform lacks it */
    STATUS_TIMEOUT,      /* a deadline passed */
};

#endif
