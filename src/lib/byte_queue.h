/*
 * A ring buffer of bytes that one CPU fills and one CPU empties, without a lock.
 */
#ifndef HYMIR_LIB_BYTE_QUEUE_H
#define HYMIR_LIB_BYTE_QUEUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct byte_queue {
    uint8_t *bytes;
    unsigned int size;          /* of bytes, a power of two */
    atomic_uint written, taken; /* total bytes; modulo size, the positions */
};

/* Returns how many bytes are in the queue; at least that many for the CPU that takes. */
static inline unsigned int byte_queue_length(const struct byte_queue *queue)
{
    return atomic_load_explicit(&queue->written, memory_order_acquire) -
           atomic_load_explicit(&queue->taken, memory_order_acquire);
}

/* Returns how many more bytes fit; at least that many for the CPU that writes. */
static inline unsigned int byte_queue_room(const struct byte_queue *queue)
{
    return queue->size - byte_queue_length(queue);
}

/* Appends a byte. The caller has checked that there is room. */
static inline void byte_queue_put(struct byte_queue *queue, uint8_t byte)
{
    unsigned int written = atomic_load_explicit(&queue->written, memory_order_relaxed);

    queue->bytes[written & (queue->size - 1)] = byte;
    atomic_store_explicit(&queue->written, written + 1, memory_order_release);
}

/* Takes the oldest byte; returns false if the queue is empty. */
static inline bool byte_queue_take(struct byte_queue *queue, uint8_t *byte)
{
    unsigned int taken = atomic_load_explicit(&queue->taken, memory_order_relaxed);

    if (byte_queue_length(queue) == 0)
        return false;
    *byte = queue->bytes[taken & (queue->size - 1)];
    atomic_store_explicit(&queue->taken, taken + 1, memory_order_release);
    return true;
}

/* Drops all bytes. By the CPU that takes. */
static inline void byte_queue_clear(struct byte_queue *queue)
{
    atomic_store(&queue->taken, atomic_load(&queue->written));
}

#endif
