#pragma once
#include <gtest/gtest.h>

#include <string>

#include "base/error.h"

namespace mnist_dist {

/// what() of the Error that `action` must throw: a data error of one line, with a hint.
template <class Action>
std::string data_failure(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    const std::string what = error.what();
    EXPECT_EQ(error.code(), ExitCode::data) << what;
    EXPECT_EQ(what.find('\n'), std::string::npos) << what;
    EXPECT_NE(error.hint(), "") << what;
    return what;
  }
  ADD_FAILURE() << "no error";
  return "";
}

}  // namespace mnist_dist
