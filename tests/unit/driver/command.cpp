// The compiler as a user meets it: what goes where, and exit codes.
#include <catch2/catch.hpp>

#include <nlohmann/json.hpp>

#include "shell.h"

#include <sys/stat.h>

using nlohmann::json;

namespace {

const char* const small_program = R"(data x: [2] from ring()
noise z: [4] ~ normal

net G(z: [4]) -> [2] {
    z -> dense(8) -> relu -> dense(2)
}

net D(x: [2]) -> [1] {
    x -> dense(8) -> relu -> dense(1)
}

train for 20 steps, batch 16 {
    D maximizes E[log(sigmoid(D(x)))] + E[log(1 - sigmoid(D(G(z))))] by adam(lr = 1e-3)
    G maximizes E[log(sigmoid(D(G(z))))] by adam(lr = 1e-3)
}

output samples = G(z)
)";

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE(
    "a wrong program: diagnostics on standard error, nothing on standard output, exit code 1") {
  Shell shell;
  shell.write("wrong.gan", "data x: [2\n");
  const Ran ran = shell.run("ganc check wrong.gan");
  CHECK(ran.exit_code == 1);
  CHECK(ran.out == "");
  CHECK(holds(ran.err, "error[E0010]"));
  CHECK(holds(ran.err, "wrong.gan:1"));
  CHECK(holds(ran.err, "error"));
}

TEST_CASE("--format json: one document on standard output, on failure too") {
  Shell shell;
  shell.write("wrong.gan", "data x: [2\n");
  for (const char* verb : {"check wrong.gan", "build wrong.gan", "run wrong.gan", "fmt wrong.gan",
                           "emit graph wrong.gan", "explain cost wrong.gan"}) {
    INFO(verb);
    const Ran ran = shell.run(std::string("ganc ") + verb + " --format json");
    CHECK(ran.exit_code == 1);
    const json document = json::parse(ran.out, nullptr, false);
    REQUIRE(document.is_object());
    CHECK(document["ok"] == false);
    REQUIRE(!document["diagnostics"].empty());
    CHECK(document["diagnostics"][0]["code"] == "E0010");
    CHECK(document["diagnostics"][0]["spans"][0]["line"] == 1);
  }
  const Ran usage = shell.run("ganc build --format json");
  CHECK(usage.exit_code == 2);
  CHECK(json::parse(usage.out)["ok"] == false);
  const Ran absent = shell.run("ganc check --format json absent.gan");
  CHECK(absent.exit_code == 1);
  CHECK(holds(json::parse(absent.out)["error"], "absent.gan"));
}

TEST_CASE("a file that cannot be read is named with the reason") {
  Shell shell;
  const auto message = [&](const std::string& file) {
    const Ran ran = shell.run("ganc check " + file);
    CHECK(ran.exit_code == 1);
    CHECK(ran.out == "");
    return ran.err;
  };
  CHECK(holds(message("absent.gan"), "cannot open absent.gan: No such file or directory"));
  CHECK(holds(message("."), "it is a folder"));
  REQUIRE(mkfifo((shell.folder() / "fifo").c_str(), 0600) == 0);
  CHECK(holds(message("fifo"), "it is a device or a pipe"));
  CHECK(holds(message("/dev/zero"), "it is a device or a pipe"));
}

TEST_CASE("a full disk under standard output is an error") {
  Shell shell;
  shell.write("a.gan", small_program);
  const Ran ran = shell.run("ganc emit ast a.gan > /dev/full");
  CHECK(ran.exit_code == 1);
  CHECK(holds(ran.err, "cannot write standard output"));
}

TEST_CASE("what this version lacks is said, never ignored") {
  Shell shell;
  shell.write("a.gan", small_program);
  const Ran cuda = shell.run("ganc build a.gan --target cuda");
  CHECK(cuda.exit_code == 1);
  CHECK(holds(cuda.err, "this version"));
  CHECK(holds(shell.run("ganc emit ptx a.gan").err, "this version"));
  CHECK(shell.run("ganc check a.gan --allow no-such-warning").exit_code == 2);
}

TEST_CASE("a trainer has code for the instruction sets that its precision can use") {
  Shell shell;
  shell.write("a.gan", small_program);
  const auto sets = [&](const std::string& options) {
    REQUIRE(shell.run("ganc build a.gan " + options).exit_code == 0);
    const std::string info = shell.run("./a info").out;
    const auto at = info.find("instruction sets:");
    return info.substr(at, info.find('\n', at) - at);
  };
  CHECK(holds(sets("--precision exact"), "x86-64-v3 x86-64-v4"));
  CHECK_FALSE(holds(sets("--precision exact"), "amx"));
  CHECK(holds(sets("--precision fast"), "amx"));
  CHECK_FALSE(holds(sets("--precision fast"), "avx512-bf16"));
  CHECK(holds(sets("--precision bf16"), "avx512-bf16"));
  CHECK(holds(sets("--precision bf16"), "amx"));
  CHECK(holds(sets("--precision bf16 --cpu x86-64-v3"), "instruction sets: x86-64-v3"));
}

TEST_CASE("fmt lays out in place, once; --check names what would change; a wrong file stays") {
  Shell shell;
  shell.write("a.gan", "const   n=3\n\n\n\n# kept\ndata x: [ 2 ] from ring( )\n");
  const Ran check = shell.run("ganc fmt --check a.gan");
  CHECK(check.exit_code == 1);
  CHECK(check.out == "a.gan\n");
  CHECK(shell.run("ln -s a.gan link.gan && chmod 640 a.gan && ganc fmt link.gan").exit_code == 0);
  CHECK(shell.read("a.gan") == "const n = 3\n\n# kept\ndata x: [2] from ring()\n");
  CHECK(shell.run("test -L link.gan && test $(stat -c %a a.gan) = 640").exit_code == 0);
  CHECK(shell.run("ganc fmt --check a.gan").exit_code == 0);
  const Ran piped = shell.run("printf 'const   n=3' | ganc fmt -");
  CHECK(piped.out == "const n = 3\n");
  shell.write("wrong.gan", "const  = \n");
  CHECK(shell.run("ganc fmt wrong.gan a.gan").exit_code == 1);
  CHECK(shell.read("wrong.gan") == "const  = \n");
}

TEST_CASE("explain knows every code that it lists, and refuses others") {
  Shell shell;
  const Ran list = shell.run("ganc explain");
  CHECK(list.exit_code == 0);
  CHECK(holds(list.out, "E0010"));
  const Ran every = shell.run(
      "ganc explain | while read code rest; do ganc explain \"$code\" >/dev/null || echo $code; "
      "done");
  CHECK(every.out == "");
  CHECK(shell.run("ganc explain E9999").exit_code == 2);
}

TEST_CASE("check prints layers, draws and memory, as text and as JSON") {
  Shell shell;
  shell.write("a.gan", small_program);
  const Ran text = shell.run("ganc check a.gan");
  INFO(text.err);
  REQUIRE(text.exit_code == 0);
  for (const char* part :
       {"2 nets", "2 updates", "dense_2", "draw/D/z", "normal", "fresh", "peak memory"}) {
    INFO(part);
    CHECK(holds(text.out, part));
  }
  const json document = json::parse(shell.run("ganc check --format json a.gan a.gan").out);
  CHECK(document["ok"] == true);
  REQUIRE(document["files"].size() == 2);
  CHECK(document["files"][0]["parameters"] == 4 * 8 + 8 + 8 * 2 + 2 + 2 * 8 + 8 + 8 + 1);
  CHECK(document["files"][0]["nets"][0]["name"] == "G");
  CHECK(document["files"][0]["arena_bytes"] > 0);
}

TEST_CASE("every stage can be shown, one program or all") {
  Shell shell;
  shell.write("a.gan", small_program);
  for (const char* stage :
       {"ast", "graph", "gradient", "kernels", "memory", "llvm", "asm", "dot"}) {
    INFO(stage);
    const Ran ran = shell.run(std::string("ganc emit ") + stage + " --program gradient/D a.gan");
    INFO(ran.err);
    CHECK(ran.exit_code == 0);
    CHECK(!ran.out.empty());
  }
  CHECK(holds(shell.run("ganc emit graph a.gan").out, "grad "));
  CHECK(!holds(shell.run("ganc emit gradient --program train a.gan").out, " = grad "));
  const Ran unknown = shell.run("ganc emit graph --program X a.gan");
  CHECK(unknown.exit_code == 2);
  CHECK(holds(unknown.err, "gradient/D"));
}

TEST_CASE("explain grad and explain cost") {
  Shell shell;
  shell.write("a.gan", small_program);
  const Ran grad = shell.run("ganc explain grad D.dense_2.w a.gan");
  INFO(grad.err);
  CHECK(grad.exit_code == 0);
  CHECK(holds(grad.out, "The derivative of loss/D"));
  CHECK(holds(grad.out, "grad/D/D.dense_2.w [8,1] ="));
  const Ran near = shell.run("ganc explain grad D.dense_2.v a.gan");
  CHECK(near.exit_code == 1);
  CHECK(holds(near.err, "did you mean `D.dense_2.w`?"));
  const Ran cost = shell.run("ganc explain cost a.gan");
  CHECK(cost.exit_code == 0);
  CHECK(holds(cost.out, "a.gan:"));
  CHECK(holds(cost.out, "the iteration"));
  const Ran wide = shell.run("ganc explain cost a.gan --cpu amx --threads 1 --format json");
  CHECK(holds(wide.out, "\"cpu_class\": \"B\""));
  CHECK(holds(wide.out, "\"bound\""));
}

TEST_CASE("build makes a trainer that trains, run keeps it while nothing changes") {
  Shell shell;
  shell.write("a.gan", small_program);
  const Ran build = shell.run("ganc build a.gan");
  INFO(build.err);
  REQUIRE(build.exit_code == 0);
  CHECK(build.out == "");
  CHECK(holds(build.err, "MB in "));
  const Ran train = shell.run("./a train --steps 3 --out first");
  INFO(train.err);
  CHECK(train.exit_code == 0);
  CHECK(shell.run("test -f first/latest.safetensors").exit_code == 0);

  const Ran first = shell.run("ganc run a.gan -- --steps 1 --out second");
  INFO(first.err);
  CHECK(first.exit_code == 0);
  CHECK(holds(first.err, "built "));
  const Ran second = shell.run("ganc run a.gan -- train --steps 1 --out third");
  CHECK(second.exit_code == 0);
  CHECK(!holds(second.err, "built "));
  shell.write("a.gan", std::string(small_program) + "# another text\n");
  CHECK(holds(shell.run("ganc run a.gan -- --steps 1 --out fourth").err, "built "));
  CHECK(holds(shell.run("ganc run a.gan --batch 8 -- --steps 1 --out fifth").err, "built "));
  CHECK(shell.run("ganc run a.gan -- --no-such-option").exit_code == 2);
}

TEST_CASE("two builds of one program are equal files") {
  Shell shell;
  shell.write("a.gan", small_program);
  CHECK(shell.run("ganc build a.gan -o x && ganc build a.gan -o y && cmp x y").exit_code == 0);
}

TEST_CASE("run --format json is the trainer's too; one behind -- wins") {
  Shell shell;
  shell.write("a.gan", small_program);
  const Ran ran = shell.run("ganc run --format json a.gan -- info");
  CHECK(ran.exit_code == 0);
  CHECK(json::parse(ran.out, nullptr, false).is_object());
  const Ran text = shell.run("ganc run --format json a.gan -- info --format text");
  CHECK(text.exit_code == 0);
  CHECK_FALSE(json::parse(text.out, nullptr, false).is_object());
}

TEST_CASE("a kept trainer that was cut off is built anew") {
  Shell shell;
  shell.write("a.gan", small_program);
  REQUIRE(shell.run("ganc run a.gan -- info").exit_code == 0);
  REQUIRE(shell.run("truncate -s 1000 cache/ganc/*/a").exit_code == 0);
  const Ran ran = shell.run("ganc run a.gan -- info");
  INFO(ran.err);
  CHECK(ran.exit_code == 0);
  CHECK(holds(ran.err, "built "));
  CHECK_FALSE(holds(shell.run("ganc run a.gan -- info").err, "built "));
}

TEST_CASE("a trainer never replaces a file of its program") {
  Shell shell;
  shell.write("a.gan", std::string("use \"part.gan\"\n") + small_program);
  shell.write("part.gan", "const unused = 1\n");
  shell.write("prog", small_program);
  shell.write(".gan", small_program);
  REQUIRE(shell.run("ln -s part.gan link").exit_code == 0);
  for (const char* command :
       {"build prog", "build .gan", "build a.gan -o a.gan", "build a.gan -o ./a.gan",
        "build a.gan -o part.gan", "build a.gan -o link"}) {
    INFO(command);
    const Ran ran = shell.run(std::string("ganc ") + command);
    CHECK(ran.exit_code == 1);
    CHECK(holds(ran.err, "name another file with -o"));
  }
  CHECK(shell.read("prog") == small_program);
  CHECK(shell.read(".gan") == small_program);
  CHECK(shell.read("a.gan").starts_with("use"));
  CHECK(shell.read("part.gan") == "const unused = 1\n");
}

TEST_CASE("a trainer that meets a limit of files is an error that leaves nothing") {
  Shell shell;
  shell.write("a.gan", small_program);
  for (const char* verb : {"build", "run"}) {
    INFO(verb);
    const Ran ran = shell.run(std::string("(ulimit -f 2000; ganc ") + verb + " a.gan)");
    CHECK(ran.exit_code == 1);
    CHECK(holds(ran.err, "cannot write "));
    CHECK(holds(ran.err, "File too large"));
  }
  CHECK(shell.run("ls -A . cache/ganc").out.find(".part") == std::string::npos);
  CHECK(shell.run("test ! -e a && rmdir cache/ganc").exit_code == 0);
}

TEST_CASE("a trainer that cannot be written leaves what was there") {
  Shell shell;
  shell.write("a.gan", small_program);
  const Ran absent = shell.run("GANC_TIME=1 ganc build a.gan -o absent/trainer");
  CHECK(absent.exit_code == 1);
  CHECK(holds(absent.err, "cannot write absent/trainer: No such file or directory"));
  CHECK_FALSE(holds(absent.err, "elaborate"));  // said before the compilation
  CHECK(holds(shell.run("ganc build a.gan -o .").err, "no regular file"));
  CHECK(holds(shell.run("ganc build a.gan -o a.gan/x").err, "Not a directory"));
  const Ran lacking = shell.run("GANC_LIB=\"$PWD/absent\" ganc build a.gan");
  CHECK(lacking.exit_code == 1);
  CHECK(holds(lacking.err, "is missing"));
}
