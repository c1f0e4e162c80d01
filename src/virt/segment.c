/* See segment.h. */
#include "virt/segment.h"

#define TYPE_CODE        BIT(3)
#define TYPE_EXPAND_DOWN BIT(2) /* of data */
#define TYPE_WRITABLE    BIT(1) /* of data; of code: readable */

static bool is_type_permitted(uint32_t rights, bool is_write)
{
    bool is_code = (rights & TYPE_CODE) != 0, has_bit = (rights & TYPE_WRITABLE) != 0;

    return (rights & ACCESS_RIGHTS_UNUSABLE) == 0 &&
           (is_write ? !is_code && has_bit : !is_code || has_bit);
}

static bool is_within_limit(const struct vcpu_segment *segment, uint64_t offset,
                            uint8_t size)
{
    uint32_t rights = segment->access_rights;
    uint64_t last   = offset + size - 1;
    bool is_down    = (rights & TYPE_CODE) == 0 && (rights & TYPE_EXPAND_DOWN) != 0;

    if (!is_down)
        return last <= segment->limit;
    return offset > segment->limit &&
           last <= ((rights & SEGMENT_BIG) != 0 ? UINT32_MAX : UINT16_MAX);
}

bool segment_permits(const struct vcpu_segment *segment, uint64_t linear, uint8_t size,
                     bool is_write)
{
    return is_type_permitted(segment->access_rights, is_write) &&
           is_within_limit(segment, (uint32_t)(linear - segment->base), size);
}
