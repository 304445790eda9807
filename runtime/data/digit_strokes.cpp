#include "runtime/data/digit_strokes.h"

#include <array>

namespace ganc::runtime {
namespace {

constexpr auto corner = PenPoint::Kind::corner;
constexpr auto lift = PenPoint::Kind::lift;

// 0: an oval begun at the top, closed or overlapping.
constexpr PenPoint zero_oval[] = {{.54f, .01f}, {.24f, .12f}, {.10f, .50f},
                                  {.22f, .87f}, {.50f, .99f}, {.78f, .86f},
                                  {.90f, .48f}, {.78f, .13f}, {.54f, .01f, lift}};
constexpr PenPoint zero_overlap[] = {{.66f, .06f}, {.42f, .04f},      {.15f, .28f}, {.12f, .70f},
                                     {.38f, .98f}, {.70f, .88f},      {.88f, .52f}, {.80f, .16f},
                                     {.56f, .02f}, {.40f, .10f, lift}};
constexpr PenPoint zero_narrow[] = {{.58f, .00f}, {.34f, .18f}, {.24f, .55f},
                                    {.32f, .90f}, {.52f, .99f}, {.70f, .80f},
                                    {.77f, .42f}, {.70f, .10f}, {.55f, .01f, lift}};
constexpr Glyph zero[] = {{zero_oval, 4}, {zero_overlap, 2}, {zero_narrow, 2}};

constexpr PenPoint one_bar[] = {{.52f, .00f}, {.50f, .50f}, {.49f, 1.0f, lift}};
constexpr PenPoint one_flag[] = {
    {.30f, .20f}, {.44f, .11f}, {.55f, .00f, corner}, {.53f, .5f}, {.52f, 1.0f, lift}};
constexpr PenPoint one_base[] = {
    {.30f, .19f}, {.54f, .00f, corner}, {.52f, .98f, lift}, {.24f, .99f}, {.80f, .98f, lift}};
constexpr Glyph one[] = {{one_bar, 6}, {one_flag, 3}, {one_base, 1}};

// 2: with a pointed foot, with a looped foot.
constexpr PenPoint two_foot[] = {{.14f, .24f},         {.28f, .06f}, {.56f, .00f},
                                 {.80f, .14f},         {.78f, .38f}, {.54f, .66f},
                                 {.12f, .97f, corner}, {.50f, .95f}, {.90f, .97f, lift}};
constexpr PenPoint two_loop[] = {{.16f, .18f}, {.40f, .01f}, {.72f, .07f},      {.82f, .30f},
                                 {.62f, .62f}, {.30f, .94f}, {.10f, .93f},      {.14f, .76f},
                                 {.40f, .80f}, {.64f, .95f}, {.93f, .92f, lift}};
constexpr PenPoint two_wave[] = {{.12f, .16f}, {.40f, .00f}, {.74f, .10f},
                                 {.74f, .36f}, {.44f, .72f}, {.15f, .93f, corner},
                                 {.40f, .86f}, {.62f, .97f}, {.92f, .92f, lift}};
constexpr Glyph two[] = {{two_foot, 3}, {two_loop, 3}, {two_wave, 2}};

constexpr PenPoint three_round[] = {
    {.16f, .12f}, {.42f, .00f}, {.74f, .08f}, {.76f, .32f}, {.40f, .47f, corner},
    {.78f, .56f}, {.84f, .80f}, {.58f, .98f}, {.28f, .98f}, {.10f, .86f, lift}};
constexpr PenPoint three_flat[] = {{.16f, .04f},      {.80f, .02f, corner}, {.42f, .40f, corner},
                                   {.76f, .50f},      {.84f, .76f},         {.58f, .98f},
                                   {.12f, .92f, lift}};
constexpr PenPoint three_loop[] = {{.18f, .10f}, {.50f, .00f},      {.76f, .14f}, {.66f, .38f},
                                   {.44f, .47f}, {.46f, .53f},      {.74f, .56f}, {.82f, .80f},
                                   {.52f, .99f}, {.12f, .94f, lift}};
constexpr Glyph three[] = {{three_round, 4}, {three_flat, 1}, {three_loop, 3}};

// 4: open with two strokes, closed in the printed way, rounded.
constexpr PenPoint four_open[] = {{.24f, .04f},       {.14f, .50f, corner}, {.52f, .50f},
                                  {.88f, .46f, lift}, {.76f, .00f},         {.72f, .50f},
                                  {.69f, 1.0f, lift}};
constexpr PenPoint four_closed[] = {{.68f, .00f},       {.40f, .34f}, {.08f, .64f, corner},
                                    {.94f, .62f, lift}, {.70f, .01f}, {.68f, .50f},
                                    {.66f, 1.0f, lift}};
constexpr PenPoint four_round[] = {{.20f, .02f}, {.10f, .32f},       {.24f, .50f},
                                   {.56f, .47f}, {.80f, .32f, lift}, {.86f, .02f},
                                   {.80f, .45f}, {.70f, 1.0f, lift}};
constexpr PenPoint four_pen[] = {{.16f, .05f},      {.10f, .40f},         {.34f, .52f},
                                 {.72f, .40f},      {.84f, .06f, corner}, {.80f, .45f},
                                 {.74f, 1.0f, lift}};
constexpr Glyph four[] = {{four_open, 3}, {four_closed, 2}, {four_round, 3}, {four_pen, 2}};

// 5: in one stroke from the right end of its roof, with the roof apart, as a rounded S.
constexpr PenPoint five_one[] = {{.84f, .02f}, {.30f, .04f, corner}, {.22f, .43f, corner},
                                 {.50f, .37f}, {.80f, .52f},         {.80f, .82f},
                                 {.48f, .99f}, {.12f, .90f, lift}};
constexpr PenPoint five_two[] = {
    {.28f, .06f}, {.24f, .42f, corner}, {.54f, .40f}, {.80f, .60f}, {.70f, .90f},
    {.40f, 1.0f}, {.14f, .92f, lift},   {.27f, .05f}, {.58f, .05f}, {.90f, .01f, lift}};
constexpr PenPoint five_round[] = {{.86f, .03f}, {.54f, .02f}, {.30f, .10f},
                                   {.24f, .32f}, {.44f, .45f}, {.70f, .56f},
                                   {.74f, .80f}, {.48f, .98f}, {.16f, .94f, lift}};
constexpr Glyph five[] = {{five_one, 4}, {five_two, 3}, {five_round, 2}};

constexpr PenPoint six_round[] = {{.72f, .02f}, {.42f, .18f},      {.20f, .50f}, {.17f, .80f},
                                  {.36f, .98f}, {.66f, .95f},      {.80f, .74f}, {.66f, .55f},
                                  {.40f, .58f}, {.20f, .76f, lift}};
constexpr PenPoint six_upright[] = {{.50f, .00f}, {.26f, .32f}, {.18f, .70f},
                                    {.32f, .96f}, {.60f, .98f}, {.76f, .80f},
                                    {.66f, .62f}, {.42f, .64f}, {.24f, .82f, lift}};
constexpr PenPoint six_open[] = {{.80f, .08f}, {.52f, .04f},      {.24f, .34f}, {.14f, .68f},
                                 {.30f, .96f}, {.62f, .96f},      {.80f, .74f}, {.62f, .54f},
                                 {.36f, .60f}, {.24f, .72f, lift}};
constexpr Glyph six[] = {{six_round, 4}, {six_upright, 3}, {six_open, 1}};

constexpr PenPoint seven_plain[] = {
    {.12f, .06f}, {.86f, .04f, corner}, {.62f, .42f}, {.40f, 1.0f, lift}};
constexpr PenPoint seven_barred[] = {{.12f, .05f},       {.86f, .03f, corner}, {.62f, .42f},
                                     {.42f, 1.0f, lift}, {.32f, .52f},         {.80f, .48f, lift}};
constexpr PenPoint seven_serif[] = {{.10f, .22f},         {.14f, .05f, corner}, {.48f, .07f},
                                    {.86f, .03f, corner}, {.66f, .46f},         {.52f, 1.0f, lift}};
constexpr PenPoint seven_round[] = {{.10f, .14f}, {.36f, .03f}, {.72f, .03f},
                                    {.80f, .18f}, {.62f, .56f}, {.46f, 1.0f, lift}};
constexpr Glyph seven[] = {{seven_plain, 4}, {seven_barred, 1}, {seven_serif, 2}, {seven_round, 2}};

// 8: an S that closes upwards, two circles.
constexpr PenPoint eight_crossed[] = {{.76f, .14f},      {.52f, .00f}, {.27f, .10f}, {.28f, .32f},
                                      {.52f, .48f},      {.76f, .66f}, {.76f, .90f}, {.48f, 1.0f},
                                      {.22f, .90f},      {.24f, .68f}, {.50f, .49f}, {.72f, .32f},
                                      {.76f, .12f, lift}};
constexpr PenPoint eight_circles[] = {{.50f, .47f},      {.26f, .36f}, {.27f, .11f}, {.52f, .00f},
                                      {.75f, .12f},      {.74f, .36f}, {.50f, .47f}, {.22f, .60f},
                                      {.17f, .84f},      {.48f, 1.0f}, {.80f, .86f}, {.78f, .60f},
                                      {.50f, .47f, lift}};
constexpr Glyph eight[] = {{eight_crossed, 4}, {eight_circles, 2}};

// 9: a ring with a straight, a bent and a hooked tail.
constexpr PenPoint nine_straight[] = {{.78f, .14f},         {.52f, .01f}, {.24f, .14f},
                                      {.18f, .36f},         {.40f, .49f}, {.68f, .38f},
                                      {.80f, .12f, corner}, {.76f, .55f}, {.70f, 1.0f, lift}};
constexpr PenPoint nine_bent[] = {
    {.76f, .12f}, {.50f, .02f},         {.22f, .16f}, {.22f, .40f}, {.50f, .48f},
    {.76f, .30f}, {.80f, .14f, corner}, {.78f, .50f}, {.62f, .84f}, {.40f, .99f, lift}};
constexpr PenPoint nine_hooked[] = {{.74f, .14f}, {.50f, .01f}, {.24f, .16f},         {.24f, .38f},
                                    {.48f, .47f}, {.72f, .32f}, {.78f, .12f, corner}, {.80f, .55f},
                                    {.70f, .90f}, {.44f, 1.0f}, {.18f, .90f, lift}};
constexpr PenPoint nine_ring[] = {{.62f, .42f}, {.34f, .46f}, {.20f, .26f}, {.36f, .05f},
                                  {.66f, .05f}, {.78f, .28f}, {.70f, .62f}, {.58f, 1.0f, lift}};
constexpr Glyph nine[] = {{nine_straight, 4}, {nine_bent, 2}, {nine_hooked, 1}, {nine_ring, 2}};

}  // namespace

std::span<const Glyph> glyphs(int digit) {
  static constexpr std::array<std::span<const Glyph>, 10> table = {zero, one, two,   three, four,
                                                                   five, six, seven, eight, nine};
  return table[static_cast<std::size_t>(digit)];
}

}  // namespace ganc::runtime
