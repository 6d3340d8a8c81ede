#pragma once
#include <string>
#include <vector>

namespace mnist_dist {

/// How far something is, on stderr: on a terminal one line that changes in place, else a plain line
/// each time.
class LiveLine {
 public:
  LiveLine();
  bool live() const { return live_; }
  void show(const std::string& line);
  /// The first of several forms of a line that fits into the terminal, otherwise the last one, cut.
  void show_first_that_fits(const std::vector<std::string>& forms);
  /// To call before anything else is printed.
  void clear();

 private:
  bool live_, shown_ = false;
};

/// The part of a line that fits into `columns` without a wrap, so that it can be overwritten. 0:
/// unknown, the whole line.
std::string fitted(const std::string& line, int columns);

}  // namespace mnist_dist
