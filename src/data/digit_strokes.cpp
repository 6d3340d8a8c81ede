#include "data/digit_strokes.h"

#include <array>

namespace mnist_dist {

std::span<const Writing> ways_of_writing(int digit) {
  constexpr bool corner = true;
  // Drawn by hand on squared paper.
  static const std::array<std::vector<Writing>, 10> digits = {{
      {
          // 0: a full oval; a narrow one that begins at the right
          {{{.55f, .02f}, {.2f, .12f}, {.04f, .5f}, {.2f, .9f}, {.5f, .98f}, {.82f, .88f}, {.96f, .5f}, {.85f, .15f}, {.5f, .0f}}},
          {{{.7f, .08f}, {.4f, .0f}, {.15f, .3f}, {.1f, .7f}, {.35f, 1.f}, {.72f, .88f}, {.88f, .5f}, {.82f, .2f}, {.55f, .06f}}},
      },
      {
          // 1: a line; with an upstroke; with a foot
          {{{.5f, .0f}, {.5f, .5f}, {.5f, 1.f}}},
          {{{.28f, .24f}, {.55f, .0f, corner}, {.53f, .5f}, {.5f, 1.f}}},
          {{{.28f, .2f}, {.52f, .0f, corner}, {.52f, 1.f}}, {{.2f, 1.f}, {.85f, .98f}}},
      },
      {
          // 2: with a corner at the foot; with a loop there; round head and straight foot
          {{{.08f, .25f}, {.3f, .03f}, {.7f, .05f}, {.85f, .3f}, {.55f, .62f}, {.08f, .98f, corner}, {.5f, .97f}, {.95f, .93f}}},
          {{{.1f, .22f}, {.35f, .0f}, {.75f, .08f}, {.8f, .35f}, {.5f, .72f}, {.15f, .95f}, {.06f, .82f}, {.28f, .76f}, {.6f, .95f}, {.97f, .9f}}},
          {{{.15f, .35f}, {.2f, .1f}, {.5f, .0f}, {.8f, .18f}, {.7f, .5f}, {.1f, 1.f, corner}, {.9f, 1.f}}},
      },
      {
          // 3: two bows; a flat top
          {{{.1f, .12f}, {.45f, .0f}, {.82f, .12f}, {.75f, .38f}, {.4f, .48f, corner}, {.8f, .58f}, {.9f, .8f}, {.55f, 1.f}, {.08f, .9f}}},
          {{{.12f, .03f}, {.85f, .03f, corner}, {.42f, .42f, corner}, {.8f, .52f}, {.9f, .78f}, {.55f, 1.f}, {.08f, .92f}}},
      },
      {
          // 4: open; closed; in one go
          {{{.18f, .02f}, {.1f, .52f, corner}, {.5f, .56f}, {.92f, .5f}}, {{.78f, .0f}, {.74f, .5f}, {.7f, 1.f}}},
          {{{.65f, .0f}, {.05f, .65f, corner}, {.98f, .65f}}, {{.67f, .02f}, {.66f, .5f}, {.65f, 1.f}}},
          {{{.2f, .05f}, {.12f, .4f}, {.35f, .56f}, {.75f, .45f}, {.86f, .02f, corner}, {.78f, .5f}, {.7f, 1.f}}},
      },
      {
          // 5: in one go; the hat drawn last
          {{{.9f, .03f}, {.25f, .05f, corner}, {.15f, .45f, corner}, {.5f, .38f}, {.88f, .6f}, {.75f, .92f}, {.4f, 1.f}, {.05f, .9f}}},
          {{{.25f, .05f}, {.18f, .45f, corner}, {.55f, .4f}, {.86f, .65f}, {.65f, .95f}, {.1f, .95f}}, {{.25f, .05f}, {.92f, .0f}}},
      },
      {
          // 6: bent; nearly straight back
          {{{.75f, .0f}, {.35f, .25f}, {.1f, .65f}, {.2f, .95f}, {.6f, .98f}, {.82f, .75f}, {.6f, .53f}, {.25f, .62f}, {.13f, .8f}}},
          {{{.5f, .0f}, {.2f, .4f}, {.08f, .75f}, {.3f, 1.f}, {.75f, .95f}, {.85f, .7f}, {.55f, .55f}, {.15f, .75f}}},
      },
      {
          // 7: plain; with a bar; with a serif
          {{{.05f, .08f}, {.9f, .05f, corner}, {.6f, .5f}, {.4f, 1.f}}},
          {{{.05f, .06f}, {.9f, .05f, corner}, {.6f, .5f}, {.42f, 1.f}}, {{.22f, .54f}, {.84f, .48f}}},
          {{{.07f, .26f}, {.1f, .05f, corner}, {.92f, .04f, corner}, {.58f, .5f}, {.45f, 1.f}}},
      },
      {
          // 8: in one go; two rings
          {{{.78f, .12f}, {.42f, .0f}, {.17f, .2f}, {.45f, .45f}, {.85f, .75f}, {.55f, 1.f}, {.15f, .8f}, {.45f, .5f}, {.8f, .25f}, {.66f, .05f}}},
          {{{.5f, .0f}, {.2f, .1f}, {.2f, .36f}, {.5f, .47f}, {.8f, .35f}, {.8f, .1f}, {.48f, .0f}},
           {{.5f, .47f}, {.12f, .6f}, {.12f, .88f}, {.5f, 1.f}, {.9f, .88f}, {.9f, .6f}, {.5f, .48f}}},
      },
      {
          // 9: straight stem; bent tail
          {{{.82f, .2f}, {.5f, .0f}, {.12f, .2f}, {.2f, .48f}, {.55f, .5f}, {.83f, .18f, corner}, {.8f, .6f}, {.7f, 1.f}}},
          {{{.85f, .2f}, {.5f, .0f}, {.1f, .25f}, {.3f, .52f}, {.75f, .38f}, {.87f, .15f}, {.85f, .6f}, {.6f, .95f}, {.2f, .95f}}},
      },
  }};
  return digits[static_cast<std::size_t>(digit)];
}

}  // namespace mnist_dist
