#include "export/onnx.h"

#include <bit>
#include <initializer_list>

#include "onnx.pb.h"

namespace mnist_dist {
namespace {

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian");

constexpr int ir_version = 7;     // of ONNX 1.8, the first with
constexpr int operator_set = 13;  // and read by every runtime since

void describe(onnx::ValueInfoProto& value, const char* name, onnx::TensorProto::DataType type,
              std::initializer_list<int> extents, const char* text) {
  value.set_name(name);
  value.set_doc_string(text);
  auto* const tensor = value.mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(type);
  tensor->mutable_shape()->add_dim()->set_dim_param("N");
  for (const int extent : extents) tensor->mutable_shape()->add_dim()->set_dim_value(extent);
}

/// A graph that is a chain: each node reads the output of the node before it.
class Chain {
 public:
  Chain(onnx::GraphProto& graph, const std::string& input) : graph_(graph), last_(input) {}

  onnx::NodeProto& node(const char* type, const std::string& name,
                        std::initializer_list<std::string> weights = {}) {
    onnx::NodeProto& node = *graph_.add_node();
    node.set_op_type(type);
    node.set_name(name);
    node.add_input(last_);
    for (const std::string& weight : weights) node.add_input(weight);
    last_ = name;
    node.add_output(last_);
    return node;
  }

  void finish(const std::string& output) {
    graph_.mutable_node(graph_.node_size() - 1)->set_output(0, output);
  }

 private:
  onnx::GraphProto& graph_;
  std::string last_;
};

void set_integer(onnx::NodeProto& node, const char* name, int value) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INT);
  attribute.set_i(value);
}

void set_integers(onnx::NodeProto& node, const char* name, int count, int value) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INTS);
  for (int i = 0; i < count; ++i) attribute.add_ints(value);
}

void set_real(onnx::NodeProto& node, const char* name, float value) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::FLOAT);
  attribute.set_f(value);
}

void add_convolution(Chain& chain, const Operation& o) {
  auto& node = chain.node("Conv", o.name, {o.name + ".weight"});
  if (!o.bias.empty()) node.add_input(o.name + ".bias");
  set_integers(node, "kernel_shape", 2, o.kernel);
  set_integers(node, "pads", 4, o.padding);
  set_integer(node, "group", o.groups);
}

void add_operation(Chain& chain, const Operation& o) {
  switch (o.kind) {
    case OperationKind::convolution:
      return add_convolution(chain, o);
    case OperationKind::relu:
      chain.node("Relu", o.name);
      return;
    case OperationKind::norm:
      return set_real(chain.node("BatchNormalization", o.name,
                                 {o.name + ".weight", o.name + ".bias", o.name + ".running_mean",
                                  o.name + ".running_var"}),
                      "epsilon", static_cast<float>(norm_epsilon));
    case OperationKind::dropout:
      return;  // the network is not trained on from here
    case OperationKind::max_pool: {
      auto& node = chain.node("MaxPool", o.name);
      set_integers(node, "kernel_shape", 2, o.kernel);
      return set_integers(node, "strides", 2, o.kernel);
    }
    case OperationKind::global_average:
      chain.node("GlobalAveragePool", o.name);
      return;
    case OperationKind::global_max:
      chain.node("GlobalMaxPool", o.name);
      return;
  }
}

void add_tensor(onnx::GraphProto& graph, const NamedTensor& tensor) {
  onnx::TensorProto& out = *graph.add_initializer();
  out.set_name(tensor.name);
  out.set_data_type(onnx::TensorProto::FLOAT);
  for (const int extent : tensor.shape) out.add_dims(extent);
  out.set_raw_data(tensor.values.data(), tensor.values.size() * sizeof(float));
}

}  // namespace

std::string onnx_file(const ExportedModel& model) {
  onnx::ModelProto file;
  file.set_ir_version(ir_version);
  file.set_producer_name("mnist-dist");
  file.add_opset_import()->set_version(operator_set);
  for (const auto& [key, value] : model.metadata) {
    auto& entry = *file.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
  onnx::GraphProto& graph = *file.mutable_graph();
  graph.set_name("mnist-dist");
  describe(*graph.add_input(), onnx_input, onnx::TensorProto::UINT8, {1, model.side, model.side},
           "images as the data set has them: 0 is background, 255 is ink");
  describe(*graph.add_output(), onnx_output, onnx::TensorProto::FLOAT, {model.classes},
           "before softmax, one per class");
  for (const NamedTensor& tensor : state_dict(model)) add_tensor(graph, tensor);
  add_tensor(graph, {"full_ink", {}, {255.0f}});

  Chain chain(graph, onnx_input);
  set_integer(chain.node("Cast", "pixels"), "to", onnx::TensorProto::FLOAT);
  chain.node("Div", "ink", {"full_ink"});
  chain.node("Sub", "centred", {"mean"});
  chain.node("Div", "normalised", {"sd"});
  for (const Operation& operation : model.operations) add_operation(chain, operation);
  chain.node("Flatten", "flatten");
  chain.finish(onnx_output);
  return file.SerializeAsString();
}

}  // namespace mnist_dist
