#include <numeric>

#include "compiler/codegen/emitter.h"
#include "compiler/codegen/lane_scalar.h"

namespace ganc {

using kernel::Value;

llvm::Value* KernelEmitter::address(std::uint32_t buffer, llvm::Value* index) {
  return ir_.CreateGEP(memory_type(context_, kernel_.buffers[buffer].dtype), bases_[buffer], index);
}

// Buffers begin at multiples of 64 bytes.
llvm::Align KernelEmitter::alignment(std::uint32_t buffer, const Emitted& index) const {
  const std::int64_t bytes = bytes_of(kernel_.buffers[buffer].dtype);
  return llvm::Align(
      static_cast<std::uint64_t>(std::gcd(index.multiple * bytes, std::int64_t{64})));
}

void KernelEmitter::mark(llvm::Instruction* access, std::uint32_t buffer) {
  access->setMetadata(llvm::LLVMContext::MD_alias_scope, own_scope_[buffer]);
  access->setMetadata(llvm::LLVMContext::MD_noalias, other_scopes_[buffer]);
}

// Where a lane counts and `predicate` holds; none: everywhere.
llvm::Value* KernelEmitter::lane_mask(llvm::Value* predicate) {
  llvm::Value* mask = lanes_->masks[column_];
  if (!predicate) return mask;
  if (!predicate->getType()->isVectorTy())
    predicate = ir_.CreateVectorSplat(lanes_->width, predicate);
  return mask ? ir_.CreateAnd(mask, predicate) : predicate;
}

Emitted KernelEmitter::emit_load(const Value& v) {
  const kernel::Buffer& buffer = kernel_.buffers[v.buffer];
  Emitted result;
  Place place{v.buffer, emit(v.operands[0]), nullptr};
  result.depth = std::max(place.index.depth, load_depth());
  if (buffer.written) result.depth = current_depth();
  bool lanes_in_predicate = false;
  if (v.operands.size() == 2 && !is_known(v.operands[1])) {
    const Emitted predicate = emit(v.operands[1]);
    place.predicate = predicate.value;
    result.depth = std::max(result.depth, predicate.depth);
    lanes_in_predicate = predicate.lanes;
  }
  const At here(*this, result.depth);
  const bool lanes_in_index = place.index.lanes || place.index.stride != 0;
  result.lanes = lanes_in_index || lanes_in_predicate;
  if (buffer.elements == 0) {
    llvm::Type* type = register_type(context_, v.dtype);
    result.value = llvm::Constant::getNullValue(result.lanes ? vector_type(type) : type);
    return result;
  }
  llvm::Value* loaded = nullptr;
  if (lanes_in_index) {
    loaded = load_lanes(place, index_bits(v.operands[0]));
  } else if (lanes_in_predicate) {
    llvm::Value* mask = lane_mask(place.predicate);
    place.predicate = ir_.CreateOrReduce(mask);
    llvm::Value* same = ir_.CreateVectorSplat(lanes_->width, load_scalar(place));
    loaded = ir_.CreateSelect(mask, same, llvm::Constant::getNullValue(same->getType()));
  } else {
    loaded = load_scalar(place);
  }
  result.value = to_register(ir_, loaded, v.dtype);
  return result;
}

// Where the predicate does not hold, element 0 is read and 0 taken: no branch.
llvm::Value* KernelEmitter::load_scalar(const Place& place) {
  llvm::Type* type = memory_type(context_, kernel_.buffers[place.buffer].dtype);
  llvm::Value* index = place.index.value;
  if (place.predicate) index = ir_.CreateSelect(place.predicate, index, index_constant(0));
  llvm::LoadInst* load = ir_.CreateLoad(type, address(place.buffer, index));
  mark(load, place.buffer);
  if (!place.predicate) return load;
  return ir_.CreateSelect(place.predicate, load, llvm::Constant::getNullValue(type));
}

llvm::Value* KernelEmitter::load_lanes(const Place& place, unsigned bits) {
  llvm::Value* mask = lane_mask(place.predicate);
  const std::int64_t stride = place.index.lanes ? 0 : place.index.stride;
  if (stride == 1) return load_consecutive(place, mask);
  // LLVM 22 makes a shuffle of memory out of a reversed load and the selection by the same
  // predicate for all lanes, which reads all of it whether or not the predicate holds: a gather
  // does not.
  const bool uniform = place.predicate && !place.predicate->getType()->isVectorTy();
  if (stride == -1 && !uniform) return load_reversed(place, mask);
  if (stride >= 2 && stride <= 4 && !mask) return load_strided(place);
  if (stride != 0 && !mask) return load_one_by_one(place);
  llvm::Type* type = vector_type(memory_type(context_, kernel_.buffers[place.buffer].dtype));
  llvm::Value* all = llvm::Constant::getAllOnesValue(vector_type(ir_.getInt1Ty()));
  const Emitted anywhere{};
  auto* load =
      ir_.CreateMaskedGather(type, addresses(place, bits), alignment(place.buffer, anywhere),
                             mask ? mask : all, llvm::Constant::getNullValue(type));
  mark(load, place.buffer);
  return load;
}

llvm::Value* KernelEmitter::load_consecutive(const Place& place, llvm::Value* mask) {
  llvm::Type* type = vector_type(memory_type(context_, kernel_.buffers[place.buffer].dtype));
  llvm::Value* from = address(place.buffer, place.index.value);
  const llvm::Align align = alignment(place.buffer, place.index);
  llvm::Instruction* load = nullptr;
  if (mask)
    load = ir_.CreateMaskedLoad(type, from, align, mask, llvm::Constant::getNullValue(type));
  else
    load = ir_.CreateAlignedLoad(type, from, align);
  mark(load, place.buffer);
  return load;
}

llvm::Value* KernelEmitter::load_reversed(const Place& place, llvm::Value* mask) {
  const std::int64_t last = lanes_->width - 1;
  Place turned = place;
  turned.index = {.value = ir_.CreateSub(place.index.value, index_constant(last)), .stride = 1};
  llvm::Value* loaded = load_consecutive(turned, mask ? ir_.CreateVectorReverse(mask) : nullptr);
  return ir_.CreateVectorReverse(loaded);
}

// Every second, third or fourth element: as many vectors, the last of which ends at the last
// element wanted.
llvm::Value* KernelEmitter::load_strided(const Place& place) {
  const std::int64_t stride = place.index.stride, width = lanes_->width;
  std::vector<llvm::Value*> parts;
  std::vector<std::int64_t> begins;
  for (std::int64_t i = 0; i < stride; ++i) {
    begins.push_back(i + 1 < stride ? i * width : stride * (width - 1) + 1 - width);
    Place part = place;
    part.index = {.value = ir_.CreateAdd(place.index.value, index_constant(begins.back())),
                  .stride = 1};
    parts.push_back(load_consecutive(part, nullptr));
  }
  llvm::Value* result = parts[0];
  for (std::int64_t i = 0; i < stride; ++i) {
    std::vector<int> pick;
    for (std::int64_t lane = 0; lane < width; ++lane) {
      const std::int64_t inside = lane * stride - begins[static_cast<std::size_t>(i)];
      const bool here = inside >= 0 && inside < width;
      if (i == 0)
        pick.push_back(here ? static_cast<int>(inside) : 0);
      else
        pick.push_back(static_cast<int>(here ? width + inside : lane));
    }
    result = i == 0 ? ir_.CreateShuffleVector(parts[0], pick)
                    : ir_.CreateShuffleVector(result, parts[static_cast<std::size_t>(i)], pick);
  }
  return result;
}

// A load and an insertion a lane: a gather instruction is microcode that takes several times as
// long on most CPUs.
llvm::Value* KernelEmitter::load_one_by_one(const Place& place) {
  llvm::Type* type = memory_type(context_, kernel_.buffers[place.buffer].dtype);
  llvm::Value* first = address(place.buffer, place.index.value);
  llvm::Value* result = llvm::PoisonValue::get(vector_type(type));
  for (unsigned lane = 0; lane < lanes_->width; ++lane) {
    llvm::Value* from = ir_.CreateGEP(type, first, index_constant(lane * place.index.stride));
    llvm::LoadInst* load = ir_.CreateLoad(type, from);
    mark(load, place.buffer);
    result = ir_.CreateInsertElement(result, load, std::uint64_t{lane});
  }
  return result;
}

llvm::Value* KernelEmitter::addresses(const Place& place, unsigned bits) {
  return address(place.buffer, index_lanes(place.index, bits));
}

void KernelEmitter::emit_store(const kernel::Store& store) {
  const DType dtype = kernel_.buffers[store.buffer].dtype;
  Place place{store.buffer, emit(store.index), nullptr};
  Emitted value = emit(store.value);
  const Emitted predicate = store.predicate ? emit(store.predicate) : Emitted{};
  place.predicate = predicate.value;
  const bool lanes = place.index.lanes || place.index.stride != 0;
  // One place for all lanes: there is one lane that counts.
  if (!lanes && value.lanes) value.value = ir_.CreateExtractElement(value.value, std::uint64_t{0});
  if (!lanes && predicate.lanes)
    place.predicate = ir_.CreateExtractElement(predicate.value, std::uint64_t{0});
  llvm::Value* number = lanes ? number_lanes(value) : value.value;
  if (store.add) {
    llvm::Value* before = lanes ? load_lanes(place, index_bits(store.index)) : load_scalar(place);
    LaneScalar scalar(ir_, lanes ? lanes_->width : 0);
    const ScalarId old = scalar.enter(to_register(ir_, before, dtype), dtype);
    number = scalar.value(scalar.add(old, scalar.enter(number, dtype)));
  }
  number = to_memory(ir_, number, dtype);
  if (lanes) return store_lanes(place, number, index_bits(store.index));
  store_scalar(place, number);
}

void KernelEmitter::store_scalar(const Place& place, llvm::Value* value) {
  const auto store = [&] {
    mark(ir_.CreateStore(value, address(place.buffer, place.index.value)), place.buffer);
  };
  if (!place.predicate) return store();
  emit_guarded(place.predicate, store);
}

void KernelEmitter::store_lanes(const Place& place, llvm::Value* value, unsigned bits) {
  if (place.predicate && !place.predicate->getType()->isVectorTy())
    return emit_guarded(place.predicate, [&] {
      Place inside = place;
      inside.predicate = nullptr;
      store_lanes(inside, value, bits);
    });
  llvm::Value* mask = lane_mask(place.predicate);
  const std::int64_t stride = place.index.lanes ? 0 : place.index.stride;
  if (stride == 1) {
    llvm::Value* to = address(place.buffer, place.index.value);
    const llvm::Align align = alignment(place.buffer, place.index);
    if (mask) return mark(ir_.CreateMaskedStore(value, to, align, mask), place.buffer);
    return mark(ir_.CreateAlignedStore(value, to, align), place.buffer);
  }
  const Emitted anywhere{};
  llvm::Value* all = llvm::Constant::getAllOnesValue(vector_type(ir_.getInt1Ty()));
  mark(ir_.CreateMaskedScatter(value, addresses(place, bits), alignment(place.buffer, anywhere),
                               mask ? mask : all),
       place.buffer);
}

}  // namespace ganc
