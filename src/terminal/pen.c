/* See screen.h. */
#include "terminal/screen.h"

#define BLACK  0
#define CYAN   6
#define WHITE  7
#define BRIGHT 8

const struct terminal_color terminal_palette[TERMINAL_COLORS] = {
    {0x00, 0x00, 0x00}, {0xAA, 0x00, 0x00}, {0x00, 0xAA, 0x00}, {0xAA, 0x55, 0x00},
    {0x00, 0x00, 0xAA}, {0xAA, 0x00, 0xAA}, {0x00, 0xAA, 0xAA}, {0xAA, 0xAA, 0xAA},
    {0x55, 0x55, 0x55}, {0xFF, 0x55, 0x55}, {0x55, 0xFF, 0x55}, {0xFF, 0xFF, 0x55},
    {0x55, 0x55, 0xFF}, {0xFF, 0x55, 0xFF}, {0x55, 0xFF, 0xFF}, {0xFF, 0xFF, 0xFF},
};

const struct terminal_pen terminal_default_pen = {.foreground = WHITE,
                                                  .background = BLACK};

struct terminal_cell terminal_pen_cell(const struct terminal_pen *pen, uint16_t character)
{
    uint8_t foreground = pen->is_underlined ? CYAN : pen->foreground;
    uint8_t background = pen->background;

    if (pen->is_bold)
        foreground |= BRIGHT;
    if (pen->is_reversed)
        return (struct terminal_cell){character, background, foreground};
    return (struct terminal_cell){character, foreground, background};
}

static uint8_t nearest_color(struct terminal_color wanted)
{
    int least       = INT32_MAX;
    uint8_t nearest = 0;

    for (uint8_t i = 0; i < TERMINAL_COLORS; i++) {
        int red      = terminal_palette[i].red - wanted.red;
        int green    = terminal_palette[i].green - wanted.green;
        int blue     = terminal_palette[i].blue - wanted.blue;
        int distance = red * red + green * green + blue * blue;
        if (distance < least) {
            least   = distance;
            nearest = i;
        }
    }
    return nearest;
}

/* Returns the intensity of a step, 0 to 5, of the xterm colour cube. */
static uint8_t cube_level(uint32_t step)
{
    return (uint8_t)(step == 0 ? 0 : 55 + 40 * step);
}

/* Maps an xterm colour to the palette: 16 equal ones, a 6x6x6 cube, 24 greys. */
static uint8_t color_of_256(uint8_t number)
{
    if (number < TERMINAL_COLORS)
        return number;
    if (number >= 232) {
        uint8_t grey = (uint8_t)(8 + 10 * (number - 232));
        return nearest_color((struct terminal_color){grey, grey, grey});
    }
    uint32_t cube = number - TERMINAL_COLORS;
    return nearest_color((struct terminal_color){
        cube_level(cube / 36), cube_level(cube / 6 % 6), cube_level(cube % 6)});
}

/*
 * Parses the parameters after 38 or 48: 5 and a number, or 2 and red, green and blue, all
 * up to 255. Returns how many parameters to skip; all of them if they are invalid.
 */
static size_t parse_color(const uint16_t *parameters, size_t count, uint8_t *color)
{
    size_t size = count > 0 && parameters[0] == 5 ? 2 : 4;

    if (count < size || (size == 4 && parameters[0] != 2))
        return count;
    for (size_t i = 1; i < size; i++) {
        if (parameters[i] > UINT8_MAX)
            return size;
    }
    if (size == 2)
        *color = color_of_256((uint8_t)parameters[1]);
    else
        *color = nearest_color((struct terminal_color){
            (uint8_t)parameters[1], (uint8_t)parameters[2], (uint8_t)parameters[3]});
    return size;
}

/* Applies a basic or bright colour: 30 to 49, 90 to 107; ignores other parameters. */
static void apply_color(struct terminal_pen *pen, uint16_t parameter)
{
    unsigned int tens = parameter / 10, digit = parameter % 10;
    bool is_basic  = tens == 3 || tens == 4;
    bool is_bright = tens == 9 || tens == 10;
    uint8_t *color = tens % 2 != 0 ? &pen->foreground : &pen->background;

    if ((is_basic || is_bright) && digit < 8)
        *color = (uint8_t)(digit | (is_bright ? BRIGHT : 0));
    else if (is_basic && digit == 9)
        *color = tens == 3 ? WHITE : BLACK;
}

static void apply_parameter(struct terminal_pen *pen, uint16_t parameter)
{
    if (parameter == 0)
        *pen = terminal_default_pen;
    else if (parameter == 1 || parameter == 22)
        pen->is_bold = parameter == 1;
    else if (parameter == 4 || parameter == 24)
        pen->is_underlined = parameter == 4;
    else if (parameter == 7 || parameter == 27)
        pen->is_reversed = parameter == 7;
    else
        apply_color(pen, parameter);
}

void terminal_change_pen(struct terminal_pen *pen, const uint16_t *parameters,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint16_t *rest = parameters + i + 1;
        if (parameters[i] == 38)
            i += parse_color(rest, count - i - 1, &pen->foreground);
        else if (parameters[i] == 48)
            i += parse_color(rest, count - i - 1, &pen->background);
        else
            apply_parameter(pen, parameters[i]);
    }
}
