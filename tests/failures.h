#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/error.h"

namespace mnist_dist {

/// The Error that `action` must throw: of one line, with this exit code and a hint.
template <class Action>
Error failure(ExitCode code, Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    const std::string what = error.what();
    EXPECT_EQ(error.code(), code) << what;
    EXPECT_EQ(what.find('\n'), std::string::npos) << what;
    EXPECT_NE(error.hint(), "") << what;
    return error;
  }
  ADD_FAILURE() << "no error";
  return {code, "", ""};
}

/// what() of such an error.
template <class Action>
std::string data_failure(Action&& action) {
  return failure(ExitCode::data, action).what();
}
template <class Action>
std::string usage_failure(Action&& action) {
  return failure(ExitCode::usage, action).what();
}

/// Matches a text with all these parts.
template <class... Parts>
auto HasAll(const Parts&... parts) {
  return testing::AllOf(testing::HasSubstr(parts)...);
}

}  // namespace mnist_dist
