#!/usr/bin/env bats
# launch/cuda.sh: the table of cards, and versions in ranges. Its search on a machine is tested
# with launch/setup.sh --cuda.

load fakes

setup() {
  source "$repository/launch/lib.sh"
}

@test "versions and ranges: by the first two numbers" {
  in_range 2.11.0 2.11-2.14
  in_range 2.14.1 2.11-2.14
  ! in_range 2.15.0 2.11-2.14 || false
  ! in_range 2.9.1 2.11-2.14 || false
  in_range 3.0.0 2.11-
  in_range 12.6 12.6
  ! in_range 12.8 12.6 || false
  ! in_range 13.0 12.6 || false
  in_range 13.0 12.6-
  ! in_range 12.6 12.8- || false
}

@test "the rows of the table, by their kind" {
  instance_table=$BATS_TEST_TMPDIR/table
  printf '%s\n' '# type' 'ami ubuntu' '' '#card X 1' 'card T4 7.5' 'cards.large 1 T4' \
    >"$instance_table"
  [ "$(instance_rows ami)" = "ami ubuntu" ]
  [ "$(instance_rows card)" = "card T4 7.5" ]
  [ "$(instance_rows type)" = "cards.large 1 T4" ]
}

@test "the cards of the table, by their capability and by the driver's name" {
  [ "$(card_row 7.0 "Tesla V100-SXM2-16GB")" = "7.0 12.6 2.11-2.14" ]
  [ "$(card_row - "Tesla V100-SXM2-16GB")" = "7.0 12.6 2.11-2.14" ]
  [ "$(card_row - "Tesla T4")" = "7.5 12.6- 2.11-" ]
  [ "$(card_row - "NVIDIA A100-SXM4-40GB" | cut -d' ' -f1)" = 8.0 ]
  [ "$(card_row - "NVIDIA A10G" | cut -d' ' -f1)" = 8.6 ]
  [ "$(card_row - "NVIDIA L40S" | cut -d' ' -f1)" = 8.9 ]
  [ "$(card_row - "NVIDIA H200" | cut -d' ' -f1)" = 9.0 ]
  [ "$(card_row 10.0 "NVIDIA B200")" = "10.0 12.8- 2.11-" ]
  [ "$(card_row - "NVIDIA GeForce RTX 5090")" = "12.0 12.8- 2.11-" ]
  [ -z "$(card_row - "NVIDIA T400")" ]
}

@test "a card without a line: the nearest older one of its generation is used" {
  [ "$(card_row 8.7 Orin | cut -d' ' -f1)" = 8.6 ]
  [ "$(card_row 10.1 Thor)" = "10.0 12.8- 2.11-" ]
  [ "$(card_row 7.2 Xavier)" = "7.0 12.6 2.11-2.14" ]
  [ -z "$(card_row 6.1 "GTX 1080")" ]
  [ -z "$(card_row 11.0 Thor)" ]
}

@test "one capability has one answer, and every card a range of CUDA and of LibTorch" {
  local rows='^[0-9]+\.[0-9]+ [0-9.]+(-[0-9.]*)? 2\.[0-9]+(-(2\.[0-9]+)?)?$' cards
  local capability cuda torch
  cards=$(known_cards | cut -d' ' -f2- | sort -u)
  ! grep -vE "$rows" <<<"$cards" || false
  [ -z "$(cut -d' ' -f1 <<<"$cards" | uniq -d)" ]
  # PyPI's build has code for all but the V100.
  while read -r capability cuda torch; do
    [ "$capability" = 7.0 ] || in_range "$wheel_cuda" "$cuda"
    [ "$capability" = 7.0 ] || in_range "$wheel_torch" "$torch"
  done <<<"$cards"
}

@test "the cards of this machine" {
  fake_gpu_machine
  [ -z "$(gpu_cards)" ]
  fake nvidia-smi <<<'echo "No devices were found"; exit 6'
  [ -z "$(gpu_cards)" ]
  fake_cards "Tesla T4, 7.5" "NVIDIA H100 80GB HBM3, 9.0"
  [ "$(gpu_cards)" = $'7.5 Tesla T4\n9.0 NVIDIA H100 80GB HBM3' ]
  fake_cards "NVIDIA A10G, [N/A]"
  [ "$(gpu_cards)" = "8.6 NVIDIA A10G" ]
}

@test "options for CMake: for a LibTorch of CUDA 12.6 also the cards" {
  fake_gpu_machine
  fake_torch "$MNIST_DIST_TORCH_DIR/torch" 2.11.0 13.0
  [[ $(cuda_options) == -DMNIST_DIST_CUDA=ON$'\n'"-DCMAKE_PREFIX_PATH=\
$MNIST_DIST_TORCH_DIR/torch;$MNIST_DIST_CUDA_FOLDER"$'\n'"-DCMAKE_CUDA_COMPILER=\
$MNIST_DIST_CUDA_FOLDER/bin/nvcc" ]]
  fake_torch "$BATS_TEST_TMPDIR/libtorch" 2.11.0 12.6 archive
  fake_nvcc "$MNIST_DIST_CUDA_FOLDER-12.6" 12.6
  export CMAKE_PREFIX_PATH=$BATS_TEST_TMPDIR/libtorch
  [[ $(cuda_options) == *"-DMNIST_DIST_CUDA_ARCHITECTURES=70;75;80;86;89;90"* ]]
}
