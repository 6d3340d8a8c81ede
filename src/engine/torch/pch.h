#pragma once
// Parsing LibTorch's headers takes most of a minute. Once is enough.
#include <torch/torch.h>
