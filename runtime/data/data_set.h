#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
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
  std::string
      path;  // --data PATH, or of --data FIELD=PATH the path for a field of this source; else empty
  std::string data_dir;    // $GAN_DATA_DIR, else empty
  std::uint64_t seed = 0;  // of drawn sources and augmentation
  unsigned threads = 1;    // for decoding
};

// The values of one sample or more, a field after another in the order of the spec: reals as float
// or double, classes and integers as int32.
struct FieldValues {
  std::vector<float> f32;
  std::vector<double> f64;
  std::vector<std::int32_t> i32;
};

// Which sample, and how often it has been read before in this run.
struct SampleVisit {
  std::int64_t index;
  std::uint64_t visit;
};

// A finite, indexed set of samples. Thread-safe: `read` may be called from several threads at once.
class DataSet {
 public:
  virtual ~DataSet() = default;
  const std::vector<FieldSpec>& fields() const { return fields_; }
  bool is_f64() const { return f64_; }
  // The fields' vectors for that many samples.
  std::vector<FieldValues> make_room(std::int64_t samples) const;
  virtual std::int64_t count() const = 0;
  // Writes sample `index` at position `at` of the fields' vectors (sized by the caller for a whole
  // batch). `visit` counts how often the sample has been read in this run: flips and crops are a
  // function of seed, index and visit.
  virtual Result<void> read(std::int64_t index, std::uint64_t visit, std::int64_t at,
                            std::vector<FieldValues>& fields) const = 0;
  // Writes samples[i] at position i, on several threads where reading is slow. Of several failures
  // the first counts.
  virtual Result<void> read_batch(std::span<const SampleVisit> samples,
                                  std::vector<FieldValues>& fields) const;
  // One line for the run's log: "mnist: 10000 test images of 28x28 from /data/mnist".
  virtual std::string describe() const = 0;
  // For the folder name of a run ("digits", "mnist").
  virtual std::string short_name() const = 0;

 protected:
  DataSet(std::vector<FieldSpec> fields, bool f64) : fields_(std::move(fields)), f64_(f64) {}

 private:
  std::vector<FieldSpec> fields_;
  bool f64_;
};

// Opens a source. `f64`: reals go to FieldValues::f64. Every defect of file, option or shape is a
// Failure that names path, reason and remedy.
Result<std::unique_ptr<DataSet>> open_data_set(const SourceSpec& spec, const DataPlaces& places,
                                               bool f64);

}  // namespace ganc::runtime
