#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "config/config.h"
#include "config/fields.h"
#include "recipe_text.h"

namespace mnist_dist {
namespace {

bool same(const Config& a, const Config& b) {
  return to_toml(a) == to_toml(b) && a.model == b.model && a.name == b.name;
}

/// A value other than the one there, within its range.
void change(const Field&, std::string& value) { value += " \"quoted\" \\ and = more"; }
void change(const Field&, bool& value) { value = !value; }
void change(const Field& field, double& value) {
  // A third of the way needs all 17 digits.
  value = field.bounds.low +
          (std::min(field.bounds.high, field.bounds.low + 10) - field.bounds.low) / 3 * 0.9;
}
void change(const Field&, std::integral auto& value) { value += 1; }
void change(const Field&, std::vector<int>& value) { value = {600, 100}; }
void change(const Field&, Interpolation& value) { value = Interpolation::nearest; }
void change(const Field&, ScheduleKind& value) { value = ScheduleKind::one_cycle; }

TEST(Write, ReadsBackToTheSame) {
  const Config plain = parse_config(tiny, "r.toml");
  EXPECT_TRUE(same(parse_config(to_toml(plain), "other.toml"), plain));
}

TEST(Write, EveryKeyReadsBackExactly) {
  // One key at a time, so that what must fit together still does.
  const Config plain = parse_config(tiny, "r.toml");
  int keys = 0;
  visit_fields(plain, [&](const Field& field, const auto&) {
    Config changed = plain;
    changed.train.batch = 60;  // of many numbers of shards
    visit_fields(changed, [&](const Field& other, auto& member) {
      if (other.section == field.section && other.key == field.key) change(field, member);
    });
    if (field.key == "batch") changed.train.batch = 80;
    if (field.key.ends_with("_min")) {
      auto& augment = changed.augment;
      augment.crop_ratio_max = augment.erase_ratio_max = 10, augment.erase_area_max = 1;
    }
    if (field.key.ends_with("_max")) {
      auto& augment = changed.augment;
      augment.crop_ratio_min = augment.erase_ratio_min = 0.1,
      augment.crop_scale_min = augment.erase_area_min = 0.001;
    }
    const std::string toml = to_toml(changed);
    const Config back = parse_config(toml, "other.toml");
    EXPECT_EQ(to_toml(back), toml) << field.section << "." << field.key;
    visit_fields(changed, [&](const Field& a, const auto& expected) {
      visit_fields(back, [&](const Field& b, const auto& got) {
        if constexpr (std::is_same_v<decltype(expected), decltype(got)>) {
          if (a.section == b.section && a.key == b.key) {
            EXPECT_EQ(got, expected) << a.section << "." << a.key;
          }
        }
      });
    });
    EXPECT_NE(toml, to_toml(plain));
    ++keys;
  });
  EXPECT_GT(keys, 30);
}

TEST(Write, LayersReadBack) {
  Config config = parse_config(tiny, "r.toml");
  config.model.layers = {{.channels = 12,
                          .kernel = 5,
                          .padding = 2,
                          .bias = true,
                          .relu = true,
                          .norm = true,
                          .dropout = 1.0 / 3},
                         {.channels = 12, .depthwise = true, .padding = 1},
                         {.kind = LayerKind::max_pool, .kernel = 3},
                         {.kind = LayerKind::max_pool, .kernel = 2},
                         {.channels = 10, .kernel = 1},
                         {.kind = LayerKind::linear, .channels = 10, .bias = true},
                         {.kind = LayerKind::global_average},
                         {.kind = LayerKind::global_max}};
  EXPECT_EQ(parse_config(to_toml(config), "other.toml").model.layers, config.model.layers);
}

TEST(Write, IdentityHasTheKeysThatDecideTheResult) {
  const Config plain = parse_config(tiny, "r.toml");
  const std::string identity = recipe_toml(plain);
  for (const char* circumstance :
       {"data.file=x.h5", "train.seed=77", "train.checkpoint_seconds=5", "comm.timeout=7"})
    EXPECT_EQ(recipe_toml(parse_config(tiny, "r.toml", {circumstance})), identity) << circumstance;
  for (const char* part : {"train.epochs=2", "data.shards=2", "augment.rotation=1",
                           "optimizer.momentum=0.8", "average.decay=0.99"})
    EXPECT_NE(recipe_toml(parse_config(tiny, "r.toml", {part})), identity) << part;
  EXPECT_EQ(identity.find('#'), std::string::npos);
  EXPECT_EQ(recipe_toml(parse_config(identity, "other.toml")), identity);
}

TEST(Write, HelpStandsBesideTheKeys) {
  EXPECT_NE(to_toml(parse_config(tiny, "r.toml"))
                .find("\nepochs = 15                 # passes over the training data\n"),
            std::string::npos);
}

}  // namespace
}  // namespace mnist_dist
