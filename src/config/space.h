#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace mnist_dist {

/// One key of a recipe and its values in candidates: one of `values`, or a number between `low` and
/// `high`.
struct Variation {
  std::string key;                  ///< "section.key", as in --set
  std::vector<std::string> values;  ///< as TOML writes them. Empty: a number
  double low = 0, high = 0;
  bool whole = false;  ///< a whole number, as the key is
  bool log = false;    ///< uniform in the logarithm: as many below the geometric mean as above
};

/// The choices of `mnist-dist tune`: recipes, which are tried unchanged, and keys that are drawn
/// for each further candidate.
struct SearchSpace {
  std::vector<std::string> recipes;  ///< names or files
  std::vector<Variation> variations;
};

/// Reads
///   recipes = ["step4"]
///   [[vary]]
///   key = "optimizer.learning_rate"
///   low = 0.05            # or: values = [0.05, 0.1]
///   high = 0.4
///   log = true
/// Throws: Error (usage) naming line and key: also for a key that no recipe has, a value that it
/// cannot have, and for keys in which candidates cannot differ (seed, data). Whether the values fit
/// a recipe's others shows when a candidate is made of them.
SearchSpace parse_space(const std::string& toml, const std::string& source);
SearchSpace read_space(const std::string& file);

/// A recipe and the settings that turn it into a candidate.
struct CandidateDraw {
  std::string recipe;
  std::vector<std::string> settings;  ///< "section.key=value"
};

/// Candidate number `index`, counted from 0: first every recipe as it is, then random ones. A pure
/// function of its arguments: asking for more candidates later keeps the ones that were tried.
/// Numbers have three significant digits, so that they can be typed again, and more only where the
/// range is too narrow for them.
CandidateDraw draw_candidate(const SearchSpace& space, std::uint64_t seed, int index);

}  // namespace mnist_dist
