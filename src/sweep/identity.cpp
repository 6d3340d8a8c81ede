#include "sweep/identity.h"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/error.h"
#include "base/file.h"
#include "base/json_text.h"
#include "sweep/seeds.h"
#include "sweep/statistics.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// The one list of sweep.json's keys. Writing and reading walk it.
template <class Identity, class Visitor>
void visit(Identity& i, Visitor&& v) {
  v.value("recipe", i.recipe);
  v.whole("parameter_count", i.parameter_count, 0);
  v.whole("epochs", i.epochs, 0);
  v.value("seeds", i.seeds);
  v.declarations("declared", i.declared);
  v.value("target", i.target);
  v.scored("scored", i.validation);
  v.whole("images", i.images, 1);
  v.value("data_file", i.data.file);
  v.value("data_hash", i.data.hash);
  v.value("synthetic", i.data.synthetic);
  v.value("fingerprint", i.fingerprint);
  v.value("engine", i.engine.name);
  v.value("simd", i.engine.simd);
  v.value("device", i.engine.device);
  v.value("versions", i.engine.versions);
  v.whole("groups", i.groups, 1);
  v.whole("ranks_per_run", i.ranks_per_run, 1);
  v.whole("threads", i.threads, 1);
  v.value("host", i.host);
  v.value("machine", i.machine);
  v.value("command", i.command);
  v.value("started", i.started);
  // Left out where they have no value. Earlier versions did not write the first two.
  v.optional("recipe_sha256", i.recipe_sha256);
  v.optional("data_set", i.data.set);
  v.optional("last_group_ranks", i.last_group_ranks);
}

struct JsonWriter {
  Json json = Json::object();
  template <class T>
  void value(const char* key, const T& value) {
    json[key] = value;
  }
  template <class T>
  void whole(const char* key, T value, int) {
    json[key] = value;
  }
  void scored(const char* key, bool validation) { json[key] = scored_name(validation); }
  template <class T>
  void optional(const char* key, const T& value) {
    if (value != T{}) json[key] = value;
  }
  void declarations(const char* key, const std::vector<Declaration>& all) {
    json[key] = Json::array();
    for (const auto& [seeds, date] : all) json[key].push_back({{"seeds", seeds}, {"date", date}});
  }
};

/// Throws nlohmann's exceptions, or std::runtime_error for a value out of its range.
struct JsonReader {
  const Json& json;
  template <class T>
  void value(const char* key, T& value) {
    json.at(key).get_to(value);
  }
  template <class T>
  void whole(const char* key, T& value, int low) {
    constexpr std::int64_t high = std::numeric_limits<int>::max();
    const Json& got = json.at(key);
    if (!got.is_number_integer() || got < low || got > high)
      throw std::runtime_error(
          fmt::format("{}: wrong value (got {}, expected {} to {})", key, got.dump(), low, high));
    got.get_to(value);
  }
  void scored(const char* key, bool& validation) {
    const auto got = json.at(key).get<std::string>();
    validation = got == scored_name(true);
    if (got != scored_name(validation))
      throw std::runtime_error(
          fmt::format("{}: wrong value (got \"{}\", expected test or validation)", key, got));
  }
  void optional(const char* key, std::string& value) { value = json.value(key, ""); }
  void optional(const char* key, int& value) {
    if (json.contains(key)) whole(key, value, 1);
  }
  void declarations(const char* key, std::vector<Declaration>& all) {
    if (json.contains(key))
      for (const Json& one : json.at(key))
        all.push_back({one.at("seeds").get<std::string>(), one.at("date").get<std::string>()});
  }
};

}  // namespace

SweepIdentity read_identity(const fs::path& folder) {
  const fs::path file = folder / "sweep.json";
  if (!fs::exists(file))
    throw usage_error(fmt::format("{}: not a sweep folder", folder.string()),
                      "name the folder that mnist-dist sweep --out wrote");
  const std::string text = read_text_file(file);
  try {
    const Json json = Json::parse(text);
    SweepIdentity i;
    visit(i, JsonReader{json});
    parse_seeds(i.seeds);
    i.target = Target(i.target).text();
    if (i.declared.empty()) i.declared.push_back({i.seeds, i.started});  // by an earlier version
    return i;
  } catch (const std::runtime_error& error) {
    throw damaged_file_error(file.string(), error.what());
  } catch (const Json::exception& error) {
    throw damaged_file_error(file.string(), error.what());
  }
}

std::string sweep_json(const SweepIdentity& identity) {
  JsonWriter writer;
  visit(identity, writer);
  return json_text(writer.json);
}

}  // namespace mnist_dist
