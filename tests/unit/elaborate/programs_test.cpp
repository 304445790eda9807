#include "compiler/graph/verify.h"
#include "tests/unit/elaborate/elaborated.h"

namespace ganc::testing {
namespace {

struct Row {
  std::string name;
  std::map<std::string, std::int64_t> parameters;
  std::size_t updates;  // statements: the repeats of `5 times` are one
};

// Parameters per net as declared and used, and updates of an iteration.
const std::vector<Row>& table() {
  static const std::vector<Row> rows = {
      {"aae", {{"Enc", 1794008}, {"Dec", 1794784}, {"D", 1011001}}, 3},
      {"acgan", {{"G", 1393961}, {"D", 201547}}, 2},
      {"attngan",
       {{"Text", 70144},
        {"Image", 725440},
        {"G", 3606536},
        {"D[0]", 433858},
        {"D[1]", 696258},
        {"D[2]", 958658}},
       5},
      {"augment", {{"G", 1092405}, {"D", 201281}, {"Plain", 50378}, {"Both", 50378}}, 4},
      {"autoencoders", {{"Enc", 217408}, {"Dec", 218128}, {"Conv", 13265}}, 3},
      {"bigan", {{"G", 1907472}, {"Enc", 1906738}, {"D", 1907713}}, 2},
      {"biggan_small", {{"G", 4287235}, {"D", 3035138}}, 2},
      {"context_encoder", {{"G", 38290931}, {"D", 2766657}}, 2},
      {"cvae", {{"Encoder", 334040}, {"Decoder", 326784}}, 1},
      {"cyclegan", {{"HZ", 7837699}, {"ZH", 7837699}, {"DH", 2764737}, {"DZ", 2764737}}, 3},
      {"dcgan64", {{"G", 3576704}, {"D", 2765568}}, 2},
      {"improved", {{"G", 444284}, {"D", 580551}}, 2},
      {"infogan", {{"G", 6652481}, {"Trunk", 6558144}, {"D", 1025}, {"Q", 133262}}, 2},
      {"lecam", {{"G", 4276739}, {"D", 758657}}, 2},
      {"minimax", {{"G", 218128}, {"D", 201217}}, 4},
      {"mlp_gan", {{"G", 550416}, {"D", 533505}}, 2},
      {"pix2pix", {{"G", 54414531}, {"D", 2768705}}, 2},
      {"progan", {{"G", 18219919}, {"D", 18219649}}, 10},
      {"ragan", {{"G", 837505}, {"D", 659905}}, 2},
      {"sagan", {{"G", 8604548}, {"D", 4869314}}, 2},
      {"sngan32", {{"G", 4276739}, {"D", 1053825}}, 2},
      {"srgan", {{"G", 1550659}, {"D", 23565505}, {"VGG", 20024384}}, 3},
      {"stackgan",
       {{"Text", 102912}, {"G1", 3388803}, {"G2", 1737923}, {"D1", 220865}, {"D2", 2942145}},
       4},
      {"stylegan", {{"Mapping", 2101248}, {"Synthesis", 17963907}, {"D", 18212481}}, 2},
      {"stylegan2", {{"Mapping", 2101248}, {"Synthesis", 16914825}, {"D", 18900609}}, 4},
      {"unrolled", {{"G", 49666}, {"D", 17025}}, 2},
      {"vae", {{"Encoder", 330040}, {"Decoder", 322784}}, 1},
      {"vae_gan", {{"Enc", 35115264}, {"Dec", 4677699}, {"D", 10955009}}, 3},
      {"wavegan", {{"G", 19065345}, {"D", 17427969}}, 2},
      {"wgan", {{"G", 837505}, {"D", 659905}}, 2},
      {"wgan_gp", {{"G", 837505}, {"D", 659905}}, 2},
  };
  return rows;
}

std::string path_of(const std::string& name) {
  return GANC_TESTS "/programs/" + name + ".gan";
}

std::size_t statements(const Model& model) {
  std::size_t count = 0;
  for (const Train& train : model.trains) {
    for (const UpdateInfo& update : train.updates) {
      const std::size_t repeat = update.name.rfind('#');
      count += repeat == std::string::npos || update.name.substr(repeat) == "#0";
    }
  }
  return count;
}

void verify_all(const Model& model) {
  CHECK(verify(model.init).empty());
  for (const Train& train : model.trains) CHECK(verify(train.iteration).empty());
  for (const OutputProgram& output : model.outputs) CHECK(verify(output.program.graph).empty());
  for (const Program& program : model.forwards) CHECK(verify(program.graph).empty());
  for (const Program& program : model.gradients) CHECK(verify(program.graph).empty());
}

TEST_CASE("every program has the parameters and updates that its paper's network has") {
  for (const Row& row : table()) {
    const Elaborated e(read_text(path_of(row.name)), {}, path_of(row.name));
    INFO(row.name << "\n" << e.messages());
    CHECK_FALSE(e.diagnostics.has_error());
    CHECK(statements(e.model) == row.updates);
    for (const auto& [net, parameters] : row.parameters) {
      INFO(net);
      bool found = false;
      for (const Net& n : e.model.nets) {
        if (n.name == net) CHECK(n.parameters == parameters);
        found = found || n.name == net;
      }
      CHECK(found);
    }
    verify_all(e.model);
  }
}

TEST_CASE("programs that read a table when they are compiled stop at that one error") {
  for (const std::string name : {"ctgan", "tvae"}) {
    const Elaborated e(read_text(path_of(name)), {}, path_of(name));
    INFO(e.messages());
    CHECK(e.diagnostics.error_count() == 1);
    CHECK(e.diagnostics.all().front().kind == Kind::not_available);
  }
}

}  // namespace
}  // namespace ganc::testing
