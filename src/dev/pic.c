/* See pic.h. */
#include "dev/pic.h"

#include "lib/bits.h"
#include "x86/pic_8259.h"

#define INPUTS        8U
#define CASCADE_INPUT 2U
#define SPURIOUS      7U

/*
 * Inputs that can be level-triggered: all but timer, keyboard and cascade of the first
 * chip, clock and floating-point unit of the second.
 */
#define LEVEL_INPUTS_1 0xF8U
#define LEVEL_INPUTS_2 0xDEU

/* The ports of each chip, and its edge/level control register. */
static const uint16_t command_port[2] = {PIC_1_PORT_COMMAND, PIC_2_PORT_COMMAND};
static const uint16_t data_port[2]    = {PIC_1_PORT_MASK, PIC_2_PORT_MASK};
static const uint16_t level_port[2]   = {PIC_1_PORT_EDGE_LEVEL, PIC_2_PORT_EDGE_LEVEL};

/* Bits 4 and 3 of a write to the command port distinguish ICW1, OCW2 and OCW3. */
#define ICW1                   0x10U
#define ICW1_HAS_ICW4          0x01U
#define ICW1_SINGLE            0x02U
#define OCW3                   0x08U
#define OCW2_LEVEL(word)       ((word)&7U)
#define OCW2_END               0x20U
#define OCW2_SPECIFIC          0x40U
#define OCW2_ROTATE            0x80U
#define OCW3_POLL              0x04U
#define OCW3_SETS_SPECIAL_MASK 0x40U
#define OCW3_SPECIAL_MASK      0x20U
#define OCW3_READS             0x02U
#define OCW3_READS_IN_SERVICE  0x01U
#define ICW2_BASE              0xF8U
#define POLL_INTERRUPT         0x80U
#define EXPECTS(icw)           (1U << (icw))

#define ICW4_AUTOMATIC_END  0x02U
#define ICW4_SPECIAL_NESTED 0x10U

static uint8_t bit(unsigned int input)
{
    return (uint8_t)(1U << input);
}

/* Returns the rank in priority of the highest input in set, or INPUTS if it is empty. */
static unsigned int highest_rank(const struct pic_chip *chip, uint8_t set)
{
    unsigned int turned = (set | (unsigned int)set << INPUTS) >> chip->first;
    return (unsigned int)__builtin_ctz(turned | 1U << INPUTS);
}

static unsigned int input_of_rank(const struct pic_chip *chip, unsigned int rank)
{
    return (chip->first + rank) % INPUTS;
}

/* IRR: a level-triggered input requests while high, an edge until it is acknowledged. */
static uint8_t requests(const struct pic_chip *chip)
{
    return (uint8_t)((chip->line & chip->level) | (chip->latch & (uint8_t)~chip->level));
}

/* Returns inputs in service that block others: unmasked ones in special mask mode. */
static uint8_t serving(const struct pic_chip *chip)
{
    return chip->special_mask ? chip->in_service & (uint8_t)~chip->mask
                              : chip->in_service;
}

/*
 * Returns which of the requested inputs to acknowledge next, or INPUTS. An interrupt in
 * service blocks itself and those of lower priority.
 */
static unsigned int arbitrate(const struct pic_chip *chip, uint8_t requested)
{
    unsigned int rank    = highest_rank(chip, requested);
    unsigned int barrier = highest_rank(chip, serving(chip));

    /* The second controller may interrupt its own interrupt. */
    if (chip->special_nested && chip->has_cascade && barrier < INPUTS &&
        input_of_rank(chip, barrier) == CASCADE_INPUT)
        barrier++;
    return rank < barrier ? input_of_rank(chip, rank) : INPUTS;
}

/* Finds the pending input, after each change of the chip, and drives the output. */
static inline void update_output(struct pic_chip *chip)
{
    uint8_t requested = requests(chip) & (uint8_t)~chip->mask;

    chip->pending = INPUTS;
    if (requested != 0 && chip->expected == 0)
        chip->pending = (uint8_t)arbitrate(chip, requested);
    interrupt_line_set(chip->output, chip->pending < INPUTS);
}

static void input_changed(void *listener, const struct interrupt_line *line)
{
    struct pic_chip *chip = listener;
    uint8_t input         = bit(line->number);

    chip->line ^= input;
    if (line->is_high)
        chip->latch |= input;
    else
        chip->latch &= chip->line; /* an edge counts only while the input is high */
    update_output(chip);
}

static void rotate_below(struct pic_chip *chip, unsigned int lowest)
{
    chip->first = (uint8_t)((lowest + 1) % INPUTS);
}

/* Acknowledges the pending input; returns SPURIOUS if its request is gone. */
static unsigned int acknowledge_input(struct pic_chip *chip)
{
    unsigned int input = chip->pending;

    if (input == INPUTS)
        return SPURIOUS;
    chip->latch &= (uint8_t)~bit(input);
    if (!chip->automatic_end)
        chip->in_service |= bit(input);
    else if (chip->rotates_at_end)
        rotate_below(chip, input);
    interrupt_line_report(&chip->input[input], INTERRUPT_TAKEN);
    return input;
}

/* Returns the vector of the interrupt that a chip delivers. */
static uint8_t acknowledge_chip(struct pic_chip *chip)
{
    unsigned int input = acknowledge_input(chip);

    update_output(chip);
    return (uint8_t)(chip->base + input);
}

static __attribute__((noinline)) uint8_t acknowledge_cascade(struct pic *pic)
{
    (void)acknowledge_input(&pic->chip[0]);
    uint8_t vector = acknowledge_chip(&pic->chip[1]);
    update_output(&pic->chip[0]);
    return vector;
}

uint8_t pic_acknowledge(struct pic *pic)
{
    if (pic->chip[0].pending == CASCADE_INPUT)
        return acknowledge_cascade(pic);
    return acknowledge_chip(&pic->chip[0]);
}

bool pic_can_interrupt(const struct pic *pic)
{
    uint8_t first = pic->chip[0].mask, second = pic->chip[1].mask;

    if ((first | bit(CASCADE_INPUT)) != 0xFF)
        return true;
    return (first & bit(CASCADE_INPUT)) == 0 && second != 0xFF;
}

/* Reports the inputs that a new mask masks and unmasks. */
static __attribute__((noinline)) void set_mask(struct pic_chip *chip, uint8_t mask)
{
    unsigned int changes = chip->mask ^ mask;

    chip->mask = mask;
    for (; changes != 0; changes &= changes - 1) {
        unsigned int input = (unsigned int)__builtin_ctz(changes);
        interrupt_line_report(&chip->input[input], (mask & bit(input)) != 0
                                                       ? INTERRUPT_MASKED
                                                       : INTERRUPT_UNMASKED);
    }
}

/* Data sheet, "Initialization Command Words 1 and 2", A to F. */
static __attribute__((noinline)) void start_initialization(struct pic_chip *chip,
                                                           uint8_t word)
{
    set_mask(chip, 0);
    *chip = (struct pic_chip){.input       = chip->input,
                              .output      = chip->output,
                              .has_cascade = chip->has_cascade,
                              .line        = chip->line,
                              .level       = chip->level,
                              .expected    = EXPECTS(2)};
    if ((word & ICW1_SINGLE) == 0)
        chip->expected |= EXPECTS(3);
    if ((word & ICW1_HAS_ICW4) != 0)
        chip->expected |= EXPECTS(4);
    for (unsigned int input = 0; input < INPUTS; input++)
        interrupt_line_report(&chip->input[input], INTERRUPT_TAKEN);
}

/* Data sheet, "Operation Control Word 2", "End of Interrupt". */
static void write_end(struct pic_chip *chip, uint8_t word)
{
    unsigned int input = OCW2_LEVEL(word);
    bool ends = (word & OCW2_END) != 0, rotates = (word & OCW2_ROTATE) != 0;

    if ((word & OCW2_SPECIFIC) == 0) {
        unsigned int rank = highest_rank(chip, serving(chip));
        if (!ends)
            chip->rotates_at_end = rotates;
        if (!ends || rank == INPUTS)
            return;
        input = input_of_rank(chip, rank);
    }
    if (ends)
        chip->in_service &= (uint8_t)~bit(input);
    if (rotates)
        rotate_below(chip, input);
}

/* Data sheet, "Operation Control Word 3". */
static void write_mode(struct pic_chip *chip, uint8_t word)
{
    if ((word & OCW3_SETS_SPECIAL_MASK) != 0)
        chip->special_mask = (word & OCW3_SPECIAL_MASK) != 0;
    chip->is_polled = (word & OCW3_POLL) != 0;
    if ((word & OCW3_READS) != 0)
        chip->reads_in_service = (word & OCW3_READS_IN_SERVICE) != 0;
}

static enum exit_outcome write_command(void *device, uint16_t port, uint32_t value)
{
    struct pic_chip *chip = device;
    uint8_t word          = (uint8_t)value;

    (void)port;
    if ((word & ICW1) != 0)
        start_initialization(chip, word);
    else if ((word & OCW3) != 0)
        write_mode(chip, word);
    else
        write_end(chip, word);
    update_output(chip);
    return EXIT_NEXT;
}

/* Data sheet, "Initialization Command Words" 2 to 4. */
static __attribute__((noinline)) enum exit_outcome
write_initialization(struct pic_chip *chip, uint8_t word)
{
    if ((chip->expected & EXPECTS(2)) != 0) {
        chip->base = word & ICW2_BASE;
    } else if ((chip->expected & EXPECTS(3)) == 0) { /* the cascade's wiring is fixed */
        chip->automatic_end  = (word & ICW4_AUTOMATIC_END) != 0;
        chip->special_nested = (word & ICW4_SPECIAL_NESTED) != 0;
    }
    chip->expected &= (uint8_t)(chip->expected - 1); /* clears the lowest bit */
    update_output(chip);
    return EXIT_NEXT;
}

static enum exit_outcome write_data(void *device, uint16_t port, uint32_t value)
{
    struct pic_chip *chip = device;

    (void)port;
    if (chip->expected != 0)
        return write_initialization(chip, (uint8_t)value);
    if (value != chip->mask)
        set_mask(chip, (uint8_t)value);
    update_output(chip);
    return EXIT_NEXT;
}

/* A poll is an acknowledge cycle of one controller, by the guest instead of the CPU. */
static __attribute__((noinline)) uint8_t poll_chip(struct pic_chip *chip)
{
    chip->is_polled = false;
    if (chip->pending == INPUTS)
        return 0;
    uint8_t input = (uint8_t)acknowledge_input(chip);
    update_output(chip);
    return POLL_INTERRUPT | input;
}

static uint32_t read_command(void *device, uint16_t port)
{
    struct pic_chip *chip = device;

    (void)port;
    if (chip->is_polled)
        return poll_chip(chip);
    return chip->reads_in_service ? chip->in_service : requests(chip);
}

static uint32_t read_data(void *device, uint16_t port)
{
    struct pic_chip *chip = device;

    (void)port;
    return chip->is_polled ? poll_chip(chip) : chip->mask;
}

static unsigned int level_inputs(const struct pic_chip *chip)
{
    return chip->has_cascade ? LEVEL_INPUTS_1 : LEVEL_INPUTS_2;
}

static uint32_t read_level(void *device, uint16_t port)
{
    const struct pic_chip *chip = device;

    (void)port;
    return chip->level & level_inputs(chip);
}

static enum exit_outcome write_level(void *device, uint16_t port, uint32_t value)
{
    struct pic_chip *chip = device;

    (void)port;
    chip->level =
        (uint8_t)((value & level_inputs(chip)) | (chip->level & ~level_inputs(chip)));
    update_output(chip);
    return EXIT_NEXT;
}

void pic_init(struct pic *pic, struct port_map *ports)
{
    *pic = (struct pic){
        .chip = {{.input       = pic->input,
                  .output      = &pic->output,
                  .has_cascade = true,
                  .level       = bit(CASCADE_INPUT),
                  .mask        = UINT8_MAX,
                  .pending     = INPUTS},
                 {.input   = pic->input + INPUTS,
                  .output  = &pic->input[CASCADE_INPUT],
                  .mask    = UINT8_MAX,
                  .pending = INPUTS}},
    };
    for (uint8_t i = 0; i < PIC_INPUTS; i++)
        pic->input[i] = (struct interrupt_line){.number   = i % INPUTS,
                                                .changed  = input_changed,
                                                .listener = &pic->chip[i / INPUTS]};
    for (size_t i = 0; i < ARRAY_SIZE(pic->chip); i++) {
        struct pic_chip *chip = &pic->chip[i];
        port_map_add(ports, (struct port_device){command_port[i], command_port[i], 1,
                                                 chip, read_command, write_command});
        port_map_add(ports, (struct port_device){data_port[i], data_port[i], 1, chip,
                                                 read_data, write_data});
        port_map_add(ports, (struct port_device){level_port[i], level_port[i], 1, chip,
                                                 read_level, write_level});
    }
}
