#pragma once
// Parsing LibTorch's headers takes most of a minute; once is enough.
#include <torch/torch.h>
