/* See pic.h. */
#include "dev/pic.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "x86/pic_8259.h"

#define INPUTS        8U
#define CASCADE_INPUT 2U
#define SPURIOUS      7U

/* Inputs of each that can be level-triggered: not the timer, keyboard, cascade; the
 * clock, the floating-point unit. */
#define LEVEL_INPUTS_1 0xF8
#define LEVEL_INPUTS_2 0xDE
static const uint8_t may_be_level[2] = {LEVEL_INPUTS_1, LEVEL_INPUTS_2};

/* ICW1, and the operation command words, by bits 4 and 3 of what port 0 is written. */
#define ICW1                   0x10U
#define ICW1_HAS_ICW4          0x01U
#define ICW1_SINGLE            0x02U
#define OCW3                   0x08U
#define OCW2_LEVEL(word)       ((word)&7U)
#define OCW3_POLL              0x04U
#define OCW3_SETS_SPECIAL_MASK 0x40U
#define OCW3_SPECIAL_MASK      0x20U
#define OCW3_READS             0x02U
#define OCW3_READS_IN_SERVICE  0x01U
#define ICW2_BASE              0xF8U
#define POLL_INTERRUPT         0x80U

#define ICW4_AUTOMATIC_END  0x02U
#define ICW4_SPECIAL_NESTED 0x10U

/* OCW2, bits 7 to 5. */
enum end_command {
    END_ROTATE_IN_AUTOMATIC_CLEAR,
    END_NON_SPECIFIC,
    END_NOTHING,
    END_SPECIFIC,
    END_ROTATE_IN_AUTOMATIC_SET,
    END_ROTATE_NON_SPECIFIC,
    END_SET_PRIORITY,
    END_ROTATE_SPECIFIC,
};

static uint8_t bit(unsigned int input)
{
    return (uint8_t)(1U << input);
}

/* The place of the input with the highest priority of those in set, or INPUTS. */
static unsigned int highest(const struct pic_chip *chip, uint8_t set)
{
    unsigned int turned = (set | (unsigned int)set << INPUTS) >> chip->first;
    return (unsigned int)__builtin_ctz(turned | 1U << INPUTS);
}

static unsigned int input_at(const struct pic_chip *chip, unsigned int place)
{
    return (chip->first + place) % INPUTS;
}

/* IRR: a level-triggered input asks as long as it is high, an edge until it is taken. */
static uint8_t requests(const struct pic_chip *chip)
{
    return (uint8_t)((chip->line & chip->level) | (chip->latch & (uint8_t)~chip->level));
}

/* The input whose turn it is, or INPUTS. What is in service holds back what is not above
 * it. */
static unsigned int chosen(const struct pic_chip *chip)
{
    uint8_t asking  = requests(chip) & (uint8_t)~chip->mask;
    uint8_t serving = chip->in_service;

    if (asking == 0 || chip->expects != PIC_EXPECTS_MASK)
        return INPUTS;
    if (chip->special_mask)
        serving &= (uint8_t)~chip->mask;
    unsigned int place   = highest(chip, asking);
    unsigned int barrier = highest(chip, serving);
    /* The second controller may interrupt its own interrupt. */
    if (chip->special_nested && chip->has_cascade && barrier < INPUTS &&
        input_at(chip, barrier) == CASCADE_INPUT)
        barrier++;
    return place < barrier ? input_at(chip, place) : INPUTS;
}

/* Carries the first's output to whom it may concern. */
static void update_first(struct pic *pic)
{
    bool is_high = chosen(&pic->chip[0]) < INPUTS;

    if (is_high == pic->is_high)
        return;
    pic->is_high = is_high;
    pic->output(pic->context, is_high);
}

/* The second's output is an input of the first. */
static void update_second(struct pic *pic)
{
    uint8_t others = pic->chip[0].line & (uint8_t)~bit(CASCADE_INPUT);
    bool is_high   = chosen(&pic->chip[1]) < INPUTS;

    pic->chip[0].line = is_high ? others | bit(CASCADE_INPUT) : others;
    update_first(pic);
}

static inline void update(struct pic *pic, unsigned int chip)
{
    if (chip == 0)
        update_first(pic);
    else
        update_second(pic);
}

static void reset_chip(struct pic_chip *chip, uint8_t level)
{
    *chip = (struct pic_chip){.line        = chip->line,
                              .mask        = 0xFF,
                              .level       = level,
                              .has_cascade = chip->has_cascade};
}

void pic_init(struct pic *pic, pic_output *output, void *context)
{
    memset(pic, 0, sizeof(*pic));
    pic->output              = output;
    pic->context             = context;
    pic->chip[0].has_cascade = true;
    reset_chip(&pic->chip[0], bit(CASCADE_INPUT));
    reset_chip(&pic->chip[1], 0);
}

void pic_set_input(struct pic *pic, unsigned int input, bool is_high)
{
    struct pic_chip *chip = &pic->chip[input / INPUTS % 2];
    uint8_t mask          = bit(input % INPUTS);
    bool was_high         = (chip->line & mask) != 0;

    if (is_high == was_high)
        return;
    chip->line ^= mask;
    if (is_high)
        chip->latch |= mask;
    else
        chip->latch &= (uint8_t)~mask; /* an edge counts only while the input is high */
    update(pic, input / INPUTS);
}

static void rotate_below(struct pic_chip *chip, unsigned int lowest)
{
    chip->first = (uint8_t)((lowest + 1) % INPUTS);
}

/* The input that the CPU takes; SPURIOUS if none asks any more. */
static unsigned int take(struct pic_chip *chip)
{
    unsigned int input = chosen(chip);

    if (input == INPUTS)
        return SPURIOUS;
    chip->latch &= (uint8_t)~bit(input);
    if (!chip->automatic_end)
        chip->in_service |= bit(input);
    else if (chip->rotates_at_end)
        rotate_below(chip, input);
    return input;
}

uint8_t pic_acknowledge(struct pic *pic)
{
    bool is_second        = chosen(&pic->chip[0]) == CASCADE_INPUT;
    unsigned int input    = take(&pic->chip[0]);
    struct pic_chip *chip = &pic->chip[0];

    if (is_second) {
        chip  = &pic->chip[1];
        input = take(chip);
    }
    update(pic, is_second ? 1 : 0);
    return (uint8_t)(chip->base + input);
}

bool pic_can_interrupt(const struct pic *pic)
{
    uint8_t first = pic->chip[0].mask, second = pic->chip[1].mask;

    if ((first | bit(CASCADE_INPUT)) != 0xFF)
        return true;
    return (first & bit(CASCADE_INPUT)) == 0 && second != 0xFF;
}

/* Data sheet, "Initialization Command Words 1 and 2", A to F. */
static void start_initialization(struct pic_chip *chip, uint8_t word)
{
    reset_chip(chip, chip->level);
    chip->mask     = 0;
    chip->expects  = PIC_EXPECTS_ICW2;
    chip->has_icw3 = (word & ICW1_SINGLE) == 0;
    chip->has_icw4 = (word & ICW1_HAS_ICW4) != 0;
}

static void end_highest(struct pic_chip *chip, bool rotates)
{
    uint8_t serving = chip->in_service;

    if (chip->special_mask) /* data sheet, "End of Interrupt": a masked bit is not cleared
                             */
        serving &= (uint8_t)~chip->mask;
    unsigned int place = highest(chip, serving);
    if (place == INPUTS)
        return;
    unsigned int input = input_at(chip, place);
    chip->in_service &= (uint8_t)~bit(input);
    if (rotates)
        rotate_below(chip, input);
}

/* Data sheet, "Operation Control Word 2". */
static void write_end(struct pic_chip *chip, uint8_t word)
{
    unsigned int input = OCW2_LEVEL(word);

    switch ((enum end_command)(word >> 5)) {
    case END_NON_SPECIFIC:
    case END_ROTATE_NON_SPECIFIC:
        end_highest(chip, word >> 5 == END_ROTATE_NON_SPECIFIC);
        break;
    case END_SPECIFIC:
        chip->in_service &= (uint8_t)~bit(input);
        break;
    case END_ROTATE_SPECIFIC:
        chip->in_service &= (uint8_t)~bit(input);
        rotate_below(chip, input);
        break;
    case END_SET_PRIORITY:
        rotate_below(chip, input);
        break;
    case END_ROTATE_IN_AUTOMATIC_SET:
    case END_ROTATE_IN_AUTOMATIC_CLEAR:
        chip->rotates_at_end = word >> 5 == END_ROTATE_IN_AUTOMATIC_SET;
        break;
    case END_NOTHING:
        break;
    }
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

static void write_command(struct pic_chip *chip, uint8_t word)
{
    if ((word & ICW1) != 0)
        start_initialization(chip, word);
    else if ((word & OCW3) != 0)
        write_mode(chip, word);
    else
        write_end(chip, word);
}

static void write_data(struct pic_chip *chip, uint8_t word)
{
    switch (chip->expects) {
    case PIC_EXPECTS_MASK:
        chip->mask = word;
        break;
    case PIC_EXPECTS_ICW2:
        chip->base    = word & ICW2_BASE;
        chip->expects = chip->has_icw3   ? PIC_EXPECTS_ICW3
                        : chip->has_icw4 ? PIC_EXPECTS_ICW4
                                         : PIC_EXPECTS_MASK;
        break;
    case PIC_EXPECTS_ICW3: /* the cascade is wired as it is */
        chip->expects = chip->has_icw4 ? PIC_EXPECTS_ICW4 : PIC_EXPECTS_MASK;
        break;
    case PIC_EXPECTS_ICW4:
        chip->automatic_end  = (word & ICW4_AUTOMATIC_END) != 0;
        chip->special_nested = (word & ICW4_SPECIAL_NESTED) != 0;
        chip->expects        = PIC_EXPECTS_MASK;
        break;
    }
}

/* A poll is an acknowledge cycle of one controller, by the guest instead of the CPU. */
static uint8_t poll(struct pic *pic, struct pic_chip *chip)
{
    chip->is_polled = false;
    if (chosen(chip) == INPUTS)
        return 0;
    uint8_t input = (uint8_t)take(chip);
    update(pic, chip == &pic->chip[1] ? 1 : 0);
    return POLL_INTERRUPT | input;
}

static uint8_t read_register(struct pic *pic, uint16_t port)
{
    struct pic_chip *chip = &pic->chip[port >> 7 & 1];

    if (chip->is_polled)
        return poll(pic, chip);
    if ((port & 1) != 0)
        return chip->mask;
    return chip->reads_in_service ? chip->in_service : requests(chip);
}

static uint32_t read(void *device, uint16_t port, unsigned int size)
{
    (void)size;
    return read_register(device, port);
}

static enum exit_outcome write(void *device, struct vcpu *vcpu, uint16_t port,
                               unsigned int size, uint32_t value)
{
    struct pic *pic     = device;
    unsigned int number = port >> 7 & 1;

    (void)vcpu;
    (void)size;
    if ((port & 1) != 0)
        write_data(&pic->chip[number], (uint8_t)value);
    else
        write_command(&pic->chip[number], (uint8_t)value);
    update(pic, number);
    return EXIT_NEXT;
}

static uint32_t read_level(void *device, uint16_t port, unsigned int size)
{
    const struct pic *pic = device;
    (void)size;
    return pic->chip[port & 1].level & may_be_level[port & 1];
}

static enum exit_outcome write_level(void *device, struct vcpu *vcpu, uint16_t port,
                                     unsigned int size, uint32_t value)
{
    struct pic *pic = device;
    uint8_t allowed = may_be_level[port & 1];
    uint8_t *level  = &pic->chip[port & 1].level;

    (void)vcpu;
    (void)size;
    *level = (uint8_t)((value & allowed) | (*level & ~(unsigned int)allowed));
    update(pic, port & 1);
    return EXIT_NEXT;
}

void pic_devices(struct pic *pic, struct port_device devices[PIC_DEVICES])
{
    static const struct port_device rows[PIC_DEVICES] = {
        {.first = PIC_1_PORT_COMMAND,
         .last  = PIC_1_PORT_MASK,
         .width = 1,
         .read  = read,
         .write = write},
        {.first = PIC_2_PORT_COMMAND,
         .last  = PIC_2_PORT_MASK,
         .width = 1,
         .read  = read,
         .write = write},
        {.first = PIC_1_PORT_EDGE_LEVEL,
         .last  = PIC_2_PORT_EDGE_LEVEL,
         .width = 1,
         .read  = read_level,
         .write = write_level},
    };

    for (unsigned int i = 0; i < PIC_DEVICES; i++) {
        devices[i]        = rows[i];
        devices[i].device = pic;
    }
}
