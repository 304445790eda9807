#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "runtime/result.h"

namespace ganc::runtime {

// A field of a `data` declaration, for one sample.
struct FieldSpec {
  std::string name;
  enum class Kind { real, class_, integer } kind;
  std::vector<std::int64_t> shape;
  std::int64_t classes = 0;

  std::int64_t elements() const;
};

using SourceArgument = std::variant<double, std::string, bool, std::vector<double>>;

// `data x: .., y: .. from function(arguments)`, as the program description has it.
struct SourceSpec {
  std::string function;
  std::map<std::string, SourceArgument> arguments;
  std::vector<FieldSpec> fields;
  std::string place;  // "mlp_gan.gan:2", for messages
};

// Where the run says that data lie.
struct DataPlaces {
  std::string path;       // --data PATH, or of --data FIELD=PATH the path for a field of this source; else empty
  std::string data_dir;   // $GAN_DATA_DIR, else empty
  std::uint64_t seed = 0;  // of drawn sources and augmentation
  unsigned threads = 1;    // for decoding
};

// The values of one sample or more, a field after another in the order of the spec: reals as float or double,
// classes and integers as int32.
struct FieldValues {
  std::vector<float> f32;
  std::vector<double> f64;
  std::vector<std::int32_t> i32;
};

// A finite, indexed set of samples. Thread-safe: `read` may be called from several threads at once.
class DataSet {
 public:
  virtual ~DataSet() = default;
  virtual std::int64_t count() const = 0;
  // Writes sample `index` at position `at` of the fields' vectors (sized by the caller for a whole batch). `visit` counts
  // how often the sample has been read in this run: flips and crops are a function of seed, index and visit.
  virtual Result<void> read(std::int64_t index, std::uint64_t visit, std::int64_t at,
                            std::vector<FieldValues>& fields) const = 0;
  // One line for the run's log: "mnist: 10000 test images of 28x28 from /data/mnist".
  virtual std::string describe() const = 0;
  // For the folder name of a run ("digits", "mnist").
  virtual std::string short_name() const = 0;
};

// Opens a source. `f64`: reals go to FieldValues::f64. Every defect of file, option or shape is a Failure
// that names path, reason and remedy.
Result<std::unique_ptr<DataSet>> open_data_set(const SourceSpec& spec, const DataPlaces& places, bool f64);

}  // namespace ganc::runtime
