#include "events/event_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>

#include "base/descriptor.h"
#include "base/error.h"
#include "base/file.h"
#include "base/parse_number.h"
#include "base/provenance.h"
#include "events/records.h"
#include "hparams.pb.h"
#include "tensorboard.pb.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;
namespace tb = tensorboard;

constexpr std::string_view file_begin = "events.out.tfevents.";
constexpr const char* experiment_tag = "_hparams_/experiment";
constexpr const char* start_tag = "_hparams_/session_start_info";
constexpr const char* end_tag = "_hparams_/session_end_info";

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

tb::Event event_at(int epoch) {
  tb::Event event;
  event.set_wall_time(now());
  event.set_step(epoch);
  return event;
}

std::string record(const tb::Event& event) { return framed(event.SerializeAsString()); }

std::string hparams_record(int epoch, const char* tag, const tb::hparams::HParamsPluginData& data) {
  tb::Event event = event_at(epoch);
  tb::Summary::Value& value = *event.mutable_summary()->add_value();
  value.set_tag(tag);
  auto& plugin = *value.mutable_metadata()->mutable_plugin_data();
  plugin.set_plugin_name("hparams");
  plugin.set_content(data.SerializeAsString());
  return record(event);
}

/// A TOML value as the plugin shows it: a number, a truth value or text.
google::protobuf::Value typed(const std::string& text, tb::hparams::DataType& type) {
  google::protobuf::Value value;
  const auto number = parse_number<double>(text);
  if (text == "true" || text == "false") {
    type = tb::hparams::DATA_TYPE_BOOL;
    value.set_bool_value(text == "true");
  } else if (number) {
    type = tb::hparams::DATA_TYPE_FLOAT64;
    value.set_number_value(*number);
  } else {
    type = tb::hparams::DATA_TYPE_STRING;
    const bool quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
    value.set_string_value(quoted ? text.substr(1, text.size() - 2) : text);
  }
  return value;
}

/// Whether an event is written when a run ends: then it is written again after a resume.
bool is_of_the_end(const tb::Event& event) {
  return std::ranges::any_of(event.summary().value(), [](const tb::Summary::Value& value) {
    return value.has_image() || value.tag() == end_tag;
  });
}

std::vector<fs::path> event_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const std::string& name : entry_names(folder))
    if (name.starts_with(file_begin)) files.push_back(folder / name);
  std::ranges::sort(files);
  return files;
}

}  // namespace

EventFile::EventFile(fs::path folder, int first_epoch) {
  const std::vector<fs::path> there = event_files(folder);
  file_ = there.empty() ? folder / fmt::format("{}{:010.0f}.{}", file_begin, now(), host_name())
                        : there.front();
  tb::Event version = event_at(0);
  version.set_file_version("brain.Event:2");
  std::string kept = record(version);
  for (const fs::path& file : there)
    for (const std::string& bytes : whole_records(read_text_file(file))) {
      tb::Event event;
      if (!event.ParseFromString(bytes) || !event.has_summary() || is_of_the_end(event)) continue;
      if (event.step() >= first_epoch) continue;
      for (const auto& value : event.summary().value()) begun_ |= value.tag() == start_tag;
      kept += framed(bytes);
    }
  write_file_atomically(file_, kept);
  for (std::size_t i = 1; i < there.size(); ++i) fs::remove(there[i]);
}

void EventFile::begin(const std::vector<Setting>& hyperparameters,
                      std::span<const std::string> metrics) {
  if (begun_) return;
  begun_ = true;
  tb::hparams::HParamsPluginData experiment, start;
  auto& about = *experiment.mutable_experiment();
  about.set_time_created_secs(now());
  start.mutable_session_start_info()->set_start_time_secs(now());
  auto& values = *start.mutable_session_start_info()->mutable_hparams();
  for (const Setting& setting : hyperparameters) {
    tb::hparams::DataType type{};
    values[setting.key] = typed(setting.text, type);
    auto& info = *about.add_hparam_infos();
    info.set_name(setting.key);
    info.set_type(type);
  }
  for (const std::string& metric : metrics)
    about.add_metric_infos()->mutable_name()->set_tag(metric);
  append(hparams_record(0, experiment_tag, experiment) + hparams_record(0, start_tag, start));
}

void EventFile::scalars(int epoch, std::span<const Scalar> values) {
  tb::Event event = event_at(epoch);
  for (const Scalar& scalar : values) {
    auto& value = *event.mutable_summary()->add_value();
    value.set_tag(scalar.tag);
    value.set_simple_value(static_cast<float>(scalar.value));
  }
  append(record(event));
}

void EventFile::image(int epoch, const std::string& tag, int width, int height, std::string png) {
  tb::Event event = event_at(epoch);
  auto& value = *event.mutable_summary()->add_value();
  value.set_tag(tag);
  auto& image = *value.mutable_image();
  image.set_width(width);
  image.set_height(height);
  image.set_colorspace(3);
  image.set_encoded_image_string(std::move(png));
  append(record(event));
}

void EventFile::end(int epoch, bool success) {
  tb::hparams::HParamsPluginData data;
  auto& end = *data.mutable_session_end_info();
  end.set_end_time_secs(now());
  end.set_status(success ? tb::hparams::STATUS_SUCCESS : tb::hparams::STATUS_FAILURE);
  append(hparams_record(epoch, end_tag, data));
}

/// Not by a rename, as TensorBoard keeps the file open. A record that does not fit is taken back.
void EventFile::append(const std::string& bytes) const {
  const Descriptor file(::open(file_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  struct stat before {};
  std::size_t done = 0;
  bool good = file.get() >= 0 && ::fstat(file.get(), &before) == 0;
  while (good && done < bytes.size()) {
    const ssize_t n = ::write(file.get(), bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    good = n > 0;
    if (good) done += static_cast<std::size_t>(n);
  }
  good = good && ::fsync(file.get()) == 0;
  if (good) return;
  const std::string why = std::generic_category().message(errno);
  if (file.get() >= 0 && ::ftruncate(file.get(), before.st_size) != 0) {
    // The next start cuts the record.
  }
  throw data_error(fmt::format("cannot write {}: {}", file_.string(), why),
                   "free some space there, or leave these files out with --no-tensorboard");
}

}  // namespace mnist_dist
