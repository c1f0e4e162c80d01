/* See placement.h. */
#include "runner/placement.h"

/* Whether vCPUs of a guest are spread over cores, or share few, to leave others whole. */
enum density {
    DENSITY_SPREAD,
    DENSITY_PACKED,
};

/* Returns whether a guest can get a CPU. */
static bool is_free(const struct placement_cpu *cpu, size_t guest)
{
    return cpu->guest == 0 &&
           (!cpu->is_exclusive || cpu->core_guest == 0 || cpu->core_guest == guest);
}

size_t placement_room(const struct placement *placement, size_t index)
{
    size_t room = 0;

    for (size_t i = 0; i < placement->count; i++)
        room += is_free(&placement->cpu[i], index + 1);
    return room;
}

bool placement_is_shared(const struct placement *placement,
                         const struct placement_cpu *cpu)
{
    for (size_t i = 0; i < placement->count; i++) {
        const struct placement_cpu *other = &placement->cpu[i];
        if (other->core == cpu->core && other->guest != 0 && other->guest != cpu->guest)
            return true;
    }
    return false;
}

/* Returns whether a guest gets efficient cores first: only they are enough for it. */
static bool prefers_efficient(const struct placement *placement, size_t guest,
                              size_t cpus)
{
    size_t room[2] = {0}; /* of other and of efficient cores */

    for (size_t i = 0; i < placement->count; i++)
        room[placement->cpu[i].is_efficient] += is_free(&placement->cpu[i], guest);
    return room[false] < cpus && room[true] >= cpus;
}

/* What a guest wants. */
struct wish {
    size_t guest; /* number from 1 */
    uint32_t node;
    bool is_efficient;
    enum density density;
};

/* Returns how little a CPU fits: the first reasons weigh more than all later ones. */
static uint32_t rank(const struct placement_cpu *cpu, const struct wish *wish)
{
    size_t crowd = wish->density == DENSITY_PACKED ? cpu->core_guest != wish->guest
                                                   : cpu->core_vcpus;

    return (uint32_t)(cpu->node != wish->node) << 31 |
           (uint32_t)(cpu->is_efficient != wish->is_efficient) << 30 |
           (uint32_t)crowd << 1 | cpu->is_last;
}

/* Gives a guest the CPU that fits best; false if there is none. */
static bool take_best(struct placement *placement, const struct wish *wish)
{
    struct placement_cpu *best = NULL;

    for (size_t i = 0; i < placement->count; i++) {
        struct placement_cpu *cpu = &placement->cpu[i];
        if (is_free(cpu, wish->guest) &&
            (best == NULL || rank(cpu, wish) < rank(best, wish)))
            best = cpu;
    }
    if (best == NULL)
        return false;
    best->guest = wish->guest;
    for (size_t i = 0; i < placement->count; i++) {
        struct placement_cpu *cpu = &placement->cpu[i];
        if (cpu->core == best->core) {
            cpu->core_guest = wish->guest;
            cpu->core_vcpus++;
        }
    }
    return true;
}

/* Gives a guest cpus CPUs, or none if too few are left. */
static bool place(struct placement *placement, const struct placement_guest *guest,
                  size_t index, size_t cpus, enum density density)
{
    const struct wish wish = {.guest = index + 1,
                              .node  = guest->node,
                              .is_efficient =
                                  prefers_efficient(placement, index + 1, cpus),
                              .density = density};

    if (placement_room(placement, index) < cpus)
        return false;
    for (size_t i = 0; i < cpus; i++)
        (void)take_best(placement, &wish);
    return true;
}

static void clear(struct placement *placement)
{
    for (size_t i = 0; i < placement->count; i++) {
        struct placement_cpu *cpu = &placement->cpu[i];
        cpu->guest = cpu->core_guest = cpu->core_vcpus = 0;
    }
}

void placement_count(struct placement *placement, struct placement_guest guests[],
                     size_t count)
{
    clear(placement);
    for (size_t i = 0; i < count; i++) {
        guests[i].cpus = guests[i].min;
        guests[i].is_placed =
            place(placement, &guests[i], i, guests[i].min, DENSITY_PACKED);
    }
    for (size_t i = 0; i < count; i++) {
        struct placement_guest *guest = &guests[i];
        while (guest->is_placed && guest->cpus < guest->max &&
               place(placement, guest, i, 1, DENSITY_PACKED))
            guest->cpus++;
    }
}

static bool place_all(struct placement *placement, struct placement_guest guests[],
                      size_t count, enum density density)
{
    bool are_placed = true;

    clear(placement);
    for (size_t i = 0; i < count; i++) {
        guests[i].is_placed = place(placement, &guests[i], i, guests[i].cpus, density);
        are_placed          = are_placed && guests[i].is_placed;
    }
    return are_placed;
}

void placement_place(struct placement *placement, struct placement_guest guests[],
                     size_t count)
{
    if (!place_all(placement, guests, count, DENSITY_SPREAD))
        (void)place_all(placement, guests, count, DENSITY_PACKED);
}
