#pragma once

#include <deque>

#include "compiler/diagnostics/diagnostics.h"
#include "compiler/elaborate/elaborate.h"
#include "compiler/elaborate/natives.h"
#include "compiler/elaborate/work.h"

namespace ganc::elab {

// Thrown after a diagnostic was reported, and caught where evaluation can go on: at a statement or
// declaration.
struct Failed {};

// How a dimension or a whole type was found to be.
struct TypeSpec {
  Shape shape;
  ElementKind kind = ElementKind::real;
  std::int64_t classes = 0;
  bool scalar_literal = false;  // `[]` as written
};

// What a name is used as: the nearest name that can be it is suggested.
enum class NameRole : std::uint8_t { any, called, optimizer };

struct Span2 {
  Span left, right;
};

// Evaluates a program with tensors as symbols. One object elaborates one file; its functions stand
// in the files named in the comments, one a concern. What evaluation is in the middle of stands in
// Frame (a body), Unit (a statement that draws and saves as one) and Work (a graph).
class Elaborator {
 public:
  Elaborator(Sources& sources, Diagnostics& diagnostics, const ElaborateOptions& options,
             Model& model);

  void run(std::uint32_t file);  // elaborator.cpp

  // Parses; throws where the text is wrong: what the parser recovered from has holes.
  const ast::Ast& parse_file(std::uint32_t file);  // declarations.cpp

  // ---- errors.cpp
  [[noreturn]] void fail(Report report);
  // A diagnostic at the innermost place of the user's own text, with the chain of calls as notes.
  Report report_at(const Frame& frame, Kind kind, Span span, auto&&... arguments) {
    const Span place = user_place(frame, span);
    Report report = diagnostics.report(kind, place, arguments...);
    add_call_chain(report, frame, span, place);
    return report;
  }
  template <typename... A>
  [[noreturn]] void error(const Frame& frame, Kind kind, Span span, const A&... arguments) {
    fail(report_at(frame, kind, span, arguments...));
  }
  Span user_place(const Frame& frame, Span span) const;
  void add_call_chain(Report& report, const Frame& frame, Span span, Span place) const;
  bool in_prelude(Span span) const;
  void charge(const Frame& frame, Span span, std::int64_t steps = 1);  // bounds the work
  void check_elements(const Frame& frame, Span span, const Shape& shape, std::int64_t count = 1);

  // ---- expressions.cpp
  Value eval(Frame& frame, ast::ExprId id);
  std::vector<Value> eval_each(Frame& frame, const std::vector<ast::ExprId>& ids);
  Value eval_block(Frame& frame, ast::BlockId id, bool own_scope = true);
  void eval_statement(Frame& frame, ast::StmtId id, bool last, Value* result);  // statements.cpp
  Value eval_for(Frame& frame, const ast::For& node, Span span);
  Value eval_if(Frame& frame, const ast::If& node, Span span);
  Value eval_name(Frame& frame, std::string_view name, Span span,
                  NameRole role = NameRole::any);  // names.cpp
  Value read_binding(Frame& frame, Binding& binding, std::string_view name, Span span);
  Value eval_constant(const Frame& frame, ConstantName& constant, std::string_view name, Span span);
  Value member(Frame& frame, const ast::Member& node, Span span);
  Value eval_binary(Frame& frame, const ast::Binary& node, Span span);
  [[noreturn]] void unknown_name(const Frame& frame, std::string_view name, Span span,
                                 NameRole role = NameRole::any);
  void check_optimizer_name(Frame& frame, ast::ExprId id);
  void define(Frame& frame, const ast::Name& name, Binding binding);
  std::vector<Value> loop_values(Frame& frame, const Value& list, Span span);
  std::string loop_suffix(const Value& value, std::size_t index) const;
  bool static_condition(Frame& frame, const Value& value, Span span);
  double static_number(const Frame& frame, const Value& value, Span span, std::string_view what);
  std::int64_t whole(const Frame& frame, const Value& value, Span span, std::string_view what);
  Shape shape_of_list(const Frame& frame, const Value& value, Span span, std::string_view what);

  // ---- arithmetic.cpp, convert.cpp
  Builder& b() { return work->builder; }
  DType real() const { return options.real; }
  NodeId node(const Tensor& tensor);
  NodeId real_node(const Tensor& tensor);  // converted to the real dtype
  Tensor make_tensor(NodeId node, Shape shape, std::int64_t count,
                     ElementKind kind = ElementKind::real, std::int64_t classes = 0);
  Tensor number_tensor(NodeId node);
  // A tensor of any value that can be one: numbers become constants, lists their stack.
  Tensor to_tensor(const Frame& frame, const Value& value, Span span, std::string_view what);
  Tensor real_tensor(const Frame& frame, const Value& value, Span span, std::string_view what);
  Tensor stack(const Frame& frame, const List& list, Span span);
  // The node brought to a sample shape and batch.
  NodeId broadcast(const Frame& frame, const Tensor& tensor, const Shape& shape,
                   std::int64_t count);
  NodeId as_number(const Value& value);  // f64 []
  std::int64_t common_count(const Frame& frame, const std::vector<Tensor>& tensors, Span span);
  Shape common_shape(const Frame& frame, std::string_view op, const Tensor& a, const Tensor& b,
                     Span span, Span2 sides);
  Value binary(Frame& frame, ast::BinaryOp op, const Value& a, const Value& b, Span span,
               Span2 sides);
  Value compare(Frame& frame, ast::BinaryOp op, const Value& a, const Value& b, Span span,
                Span2 sides);
  Value logic(Frame& frame, ast::BinaryOp op, const Value& a, const Value& b, Span span);
  Value elementwise(Frame& frame, Op op, const Value& a, const Value& b, std::string_view name,
                    Span span, Span2 sides);
  Value power(Frame& frame, const Value& a, const Value& b, Span span, Span2 sides);
  Value unary(Frame& frame, Op op, double (*fold)(double), const Value& x, std::string_view name,
              Span span);
  Value matmul(Frame& frame, const Value& a, const Value& b, Span span,
               Span2 sides);  // contract.cpp
  Value where(Frame& frame, const Value& c, const Value& a, const Value& b, Span span);
  NodeId predicate(const Frame& frame, const Value& value,
                   Span span);                                   // of the condition's own shape
  Value index(Frame& frame, const ast::Index& node, Span span);  // index.cpp

  // ---- calls.cpp
  struct Call {
    Value callee;
    std::vector<std::pair<std::string, Value>> arguments;  // an empty name: positional
    std::vector<Span> spans;                               // one an argument
    std::vector<Span> names;
    Span span;
    std::string site;  // its component of the path
    std::string draw_site;
    bool shared = false;  // named by `as`
    std::vector<Transformation> with;
    ast::ExprId expr;
    const ast::Ast* ast = nullptr;
    std::string text;
  };
  Value eval_call(Frame& frame, ast::ExprId id, const ast::Expr& expr);
  void add_arguments(Frame& frame, const std::vector<ast::Argument>& arguments, Call& call);
  ast::ExprId peel(Frame& frame, ast::ExprId id, Call& call, std::string& as);
  std::string site_name(const Frame& frame, const Sites* sites, const Call& call,
                        ast::ExprId callee) const;
  Transformation transformation(Frame& frame, ast::ExprId id);
  std::string path_component(Frame& frame, const ast::Path& path);
  Value call(Frame& frame, Call& call);
  Value call_function(Frame& frame, const Function& function, Call& call);
  Value call_net(Frame& frame, const NetValue& net, Call& call);
  Value call_native(Frame& frame, const NativeFunction& native, Call& call);
  Value call_with(Frame& frame, const Value& callee, std::vector<Value> arguments, Span span,
                  const std::string& site);
  void bind_parameters(Frame& callee, const Frame& caller,
                       const std::vector<ast::Parameter>& parameters, Call& call,
                       std::string_view name);
  [[noreturn]] void unknown_argument(const Frame& frame, Span span, std::string_view callee,
                                     std::string_view given, std::vector<std::string> names);
  std::optional<bool> take_training(const Frame& frame, Call& call,
                                    const std::vector<ast::Parameter>* own);
  void add_layer_row(Frame& frame, const Call& call, const std::string& path,
                     std::size_t first_node, std::size_t first_variable, const Value& result);
  void note_sigmoid(const Function& function, const Value& result);  // checks.cpp
  void check_logits(const Frame& frame, const Function& function, const Call& call);
  void check_range(const Frame& frame, const NetInstance& net, const ast::Parameter& parameter,
                   const Value& value, Span span);
  void check_range_pair(const Frame& frame, const Value& a, const Value& c, Span span);
  int range_kind(const Value& value);
  const Sites& sites(const ast::Ast& ast, ast::BlockId block);

  // ---- types.cpp
  TypeSpec eval_type(Frame& frame, ast::TypeId id);  // complete, of no axis of length 0
  Value match_type(Frame& frame, ast::TypeId id, const Value& value, std::string_view what,
                   Span span);
  Value match_tensor(Frame& frame, ast::TypeId id, const Value& value, std::string_view what,
                     Span span);
  void match_dims(Frame& frame, const std::vector<ast::Dim>& dims, const Shape& shape,
                  std::string_view what, Span span, Span type_span);
  std::optional<double> known_number(Frame& frame, const std::string& name, bool* is_number);
  Value to_class(const Frame& frame, const Value& value, std::int64_t classes, Span span);

  // ---- variables.cpp
  struct VariableInfo {
    std::size_t index;  // into Model::variables
    std::string init_name;
  };
  Value make_param(Frame& frame, const ast::Initialized& init, Span span);
  void make_state(Frame& frame, const ast::Initialized& init, Span span);
  std::string declare_state(Frame& frame, const ast::Initialized& init, Span span);
  void check_made_once(const Frame& frame, const std::string& name, Span span);
  bool declare_variable(Frame& frame, Variable variable, const ast::Initialized& init,
                        const std::string& init_name);
  NodeId initial_value(Frame& frame, const Variable& variable, const ast::Initialized& init,
                       const std::string& init_name);
  NodeId copy_into_init(const Frame& frame, NodeId node, Span span, const std::string& variable);
  NodeId read_variable(const std::string& name, const std::shared_ptr<Overlay>& overlay);
  Value state_value(const Frame& frame, const std::string& name);
  void write_state(Frame& frame, const std::string& name, const Value& value, Span span);
  void save(const std::string& name, NodeId value);  // guarded, stopped, the value of now
  void save_pending();
  Tensor transformed_weight(Frame& frame, const std::string& name, const Tensor& weight);
  const Variable* variable(const std::string& name) const;
  std::vector<std::string> weights_of(const NetInstance& net) const;
  void declare_weights(Frame& frame, const std::shared_ptr<NetInstance>& net, Span span);
  void ensure_copy(const NetInstance& copy, const std::string& original, const std::string& name);

  // ---- draws.cpp
  Tensor draw(Frame& frame, const Distribution& distribution, const TypeSpec& type,
              std::int64_t count, const std::string& name, Span span);
  NodeId sample(Frame& frame, const Distribution& distribution, const TypeSpec& type,
                std::int64_t count, const std::string& stream_name, NodeId step, Span span,
                std::uint32_t* stream);
  NodeId distribution_argument(Frame& frame, const Distribution& distribution, std::size_t place,
                               const TypeSpec& type, std::int64_t count, Span span);
  NodeId categorical(Frame& frame, const Distribution& distribution, const TypeSpec& type,
                     NodeId uniform, Span span);
  Value read_noise(Frame& frame, const std::shared_ptr<NoiseName>& noise, std::string_view name,
                   Span span);
  Value read_data(Frame& frame, const Binding::DataField& field, std::string_view name, Span span);
  void make_noise(Frame& frame, const ast::Noise& noise, Span span);
  Distribution distribution(Frame& frame, const Value& value, const TypeSpec& type, Span span);
  Source read_source(const DataSource& source);  // sources.cpp
  void check_source(Frame& frame, const DataSource& source, const Source& made);
  void resolve_source(DataSource& source);
  const FieldInfo& field_info(const Binding::DataField& field) const;
  std::string text(Span span) const;
  std::string line_of(Span span) const;  // "a.gan:3: "

  // ---- declarations.cpp
  void declare(const ast::Ast& ast, const std::vector<ast::DeclId>& ids,
               const std::shared_ptr<Scope>& scope, bool prelude);
  void declare_one(const ast::Ast& ast, const ast::Decl& decl, const std::shared_ptr<Scope>& scope,
                   bool prelude);
  void declare_control(const ast::Ast& ast, const ast::Decl& decl,
                       const std::shared_ptr<Scope>& scope);
  void declare_net(const ast::Ast& ast, const ast::Net& net, Span span,
                   const std::shared_ptr<Scope>& scope);
  void use_file(const ast::Use& use, Span span);
  void add_name(const std::shared_ptr<Scope>& scope, const ast::Name& name, Binding binding);
  void apply_settings();
  Frame file_frame(const ast::Ast& ast, const std::shared_ptr<Scope>& scope);
  std::string indexed_name(Frame& frame, const ast::Path& path);
  void load_prelude();

  // ---- train.cpp, update.cpp, descend.cpp
  struct TrainJob {
    const ast::Ast* ast;
    const ast::Train* declaration;
    std::shared_ptr<Scope> scope;
    std::string name;
    Span span;
    std::set<std::string> trained;  // names of nets
    bool done = false;
  };
  struct Block;  // a train block's body, see train.h
  void read_train_options(const TrainJob& job, Train& made);
  void elaborate_train(TrainJob& job);
  void find_trained(Frame& frame, ast::BlockId block, std::set<std::string>& trained);
  void find_families(const ast::Ast& ast, ast::BlockId block, std::set<std::string>& trained);
  void find_players(Frame& frame, const std::vector<ast::Player>& players,
                    std::set<std::string>& trained);
  void run_block(Frame& frame, ast::BlockId id);
  void run_statement(Frame& frame, ast::StmtId id);
  void run_times(Frame& frame, const ast::Times& node, Span span, ast::StmtId id);
  void run_guarded(Frame& frame, NodeId condition, ast::BlockId body);
  void run_let(Frame& frame, ast::StmtId id);
  void run_expression(Frame& frame, ast::ExprId id, ast::StmtId stmt);
  void run_body(Frame& frame, ast::BlockId body);
  std::string block_label(const std::string& kind, ast::StmtId id, const Frame& frame);
  void run_if(Frame& frame, const ast::If& node, Span span);
  void run_every(Frame& frame, const ast::Every& node, Span span, ast::StmtId id);
  void run_update(Frame& frame, const ast::Update& node, ast::StmtId id);
  void run_watch(Frame& frame, const ast::Watch& node, Span span);
  void run_average(Frame& frame, const ast::Average& node, Span span, ast::StmtId id);
  struct Objective {
    std::vector<const ast::Player*> players;
    bool maximize;
    ast::ExprId objective, by;
    const std::vector<ast::Clause>* clauses;
    ast::StmtId id;
    std::size_t side = 0;
    Span span;
  };
  void run_objective(Frame& frame, const Objective& objective);
  void run_update_once(Frame& frame, const Objective& objective, const std::string& base,
                       const std::string& name, const std::string& data_label,
                       std::int64_t batch_index);
  NodeId objective_value(Frame& frame, const Objective& objective, const std::string& base);
  std::string update_name(Frame& frame, const Objective& objective, std::string* label);
  struct PlayerPart {
    std::shared_ptr<NetInstance> net;
    std::string prefix;  // "D.head" of a part; else the net's name
    std::string text;    // "D.head"
  };
  PlayerPart player(Frame& frame, const ast::Player& player);
  std::vector<PlayerPart> players_of(Frame& frame, const Objective& o);
  std::vector<Step::Entry> differentiate_weights(
      NodeId loss, const std::vector<std::string>& weights,
      const std::map<std::string, std::vector<NodeId>>& versions);
  void report_update(const Objective& objective, const std::vector<PlayerPart>& parts,
                     const std::string& name, NodeId loss, const std::vector<Step::Entry>& entries);
  void check_held_repeat(Frame& frame, const Objective& objective,
                         std::int64_t times);  // checks.cpp
  void check_part(Frame& frame, const PlayerPart& part, Span span);
  void check_reached(Frame& frame, const Objective& objective, const std::vector<PlayerPart>& parts,
                     const std::vector<std::string>& weights,
                     const std::map<std::string, std::vector<NodeId>>& versions);
  NodeId every_condition(Frame& frame, ast::ExprId period, bool epochs, Span span,
                         const std::string& key);
  std::vector<std::string> reached_weights(NodeId loss, const std::vector<PlayerPart>& parts,
                                           std::map<std::string, std::vector<NodeId>>* versions);
  std::shared_ptr<OptimizerInstance> optimizer_of(Frame& frame, const Value& value, Span span);
  std::vector<NodeId> optimizer_step(Frame& frame, const OptimizerInstance& optimizer,
                                     const std::string& owner, std::vector<Step::Entry> entries,
                                     Span span);
  Value apply_optimizer(Frame& frame, const OptimizerInstance& optimizer,
                        std::shared_ptr<OptimizerFrame> state, const Value& weight,
                        const Value& gradient, Span span);
  Value call_optimizer(Frame& frame, const OptimizerInstance& optimizer, Call& call);
  Value instantiate(Frame& frame, const std::shared_ptr<OptimizerTemplate>& declaration,
                    Call& call);
  Value total(Frame& frame, ast::ExprId argument, Span span);
  Value descend(Frame& frame, const Arguments& arguments);
  // What `roots` are computed from, down to saved values; only where a derivative flows, or all.
  std::vector<bool> cone(const std::vector<NodeId>& roots, bool derivatives,
                         std::uint32_t least = 0) const;
  bool reaches(NodeId y, NodeId x) const;

  // ---- outputs.cpp
  void elaborate_output(const ast::Ast& ast, const ast::Output& node, Span span,
                        const std::shared_ptr<Scope>& scope);
  void elaborate_metric(const ast::Ast& ast, const ast::Metric& node, Span span,
                        const std::shared_ptr<Scope>& scope);
  bool has_full_types(const NetInstance& body);
  void elaborate_forward(const std::shared_ptr<NetInstance>& net);
  void elaborate_gradients(TrainJob& job, const Train& train);
  void finish_draws(Work& finished, const std::vector<UpdateInfo>& updates);
  std::int64_t static_option(Frame& frame, const ast::TrainOption& option, std::string_view what);
  void output_part(OutputProgram& output, Frame& frame, const Value& value, const std::string& part,
                   Span span);
  Frame program_frame(const ast::Ast& ast, const std::shared_ptr<Scope>& scope, const Sites* table);
  std::vector<SourceUse> source_uses(const Work& finished) const;
  void finish_init();
  void finish_nets();

  // ---- checks.cpp
  void check_unused();
  void check_unread_constants();
  void check_untrained();
  void note_use(const ast::Ast& ast, ast::StmtId stmt, std::string what, Span span, bool** used);

  Sources& sources_;
  Diagnostics& diagnostics;
  const ElaborateOptions& options;
  Model& model;

  std::deque<ast::Ast> asts;
  std::set<std::uint32_t> prelude_files;
  bool syntax_error = false;
  std::set<std::string> used_files;
  std::shared_ptr<Scope> prelude_scope, file_scope;
  std::map<std::string, std::shared_ptr<NetInstance>> nets;
  std::vector<std::shared_ptr<NetInstance>> net_order;
  std::map<std::string, VariableInfo> variables;
  std::unordered_map<std::uint64_t, std::unique_ptr<Sites>> site_tables;
  struct Use {
    std::string what;
    Span span;
    bool used = false;
  };
  std::unordered_map<std::uint64_t, std::unique_ptr<Sites>> let_sites;  // of a train block's lets
  std::map<std::pair<const ast::Ast*, std::uint32_t>, std::unique_ptr<Use>> uses;
  std::vector<TrainJob> trains;
  struct Later {
    const ast::Ast* ast;
    const ast::Decl* decl;
    std::shared_ptr<Scope> scope;
  };
  std::vector<Later> outputs_, metrics_;
  std::vector<std::shared_ptr<DataSource>> data_sources_;

  std::unique_ptr<Work> init_work;
  std::map<std::string, NodeId> init_nodes;
  Work* work = nullptr;
  Unit* unit = nullptr;
  Unit* block_unit = nullptr;         // of the block's own statements
  std::string current_let;            // "`let fake`", while it is evaluated
  std::int64_t repetition = -1;       // of a `5 times { }` around; -1: none
  std::deque<Sites> statement_sites;  // frames point into it
  TrainJob* job = nullptr;
  Train* train = nullptr;   // where the statements' results go; null in gradient programs
  std::string only_update;  // a gradient program: the update that it is for
  bool only_done = false;
  std::map<std::string, std::map<std::string, std::string>>
      update_names;  // label: statement -> name
  std::set<std::string> settings_used;
  std::map<std::string, int> range_seen;  // "D.x": 1 data in [0, 1], 2 a tanh

  std::int64_t steps_ = 0;
  bool exhausted_ = false;          // a limit was reached and reported
  std::uint64_t dynamic_reads = 0;  // counts what ties a value to the graph of now
  const char* stack_base = nullptr;
};

}  // namespace ganc::elab
