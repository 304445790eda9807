#!/usr/bin/env python3
"""`train`: the run folder, limits, equal bits, stop and resume, every way to fail."""
import json
import os
import pathlib
import random
import resource
import signal
import subprocess
import time
import unittest

from harness import TRAINER, ToyTest, npy_bytes, read_tensors, tensor_bytes


class Folder(ToyTest):
    def test_a_run_leaves_its_files(self):
        done = self.run_toy("train")
        run = done.stdout.strip()
        self.assertEqual(run, "runs/00000-toy-ring")
        names = sorted(os.listdir(self.folder / run))
        self.assertEqual(names, ["checkpoint_000004.safetensors", "checkpoint_000008.safetensors",
                                 "checkpoint_000012.safetensors", "latest.safetensors", "log.txt", "options.json",
                                 "reals.png", "samples_000004.png", "samples_000008.png", "samples_000012.png",
                                 "stats.jsonl"])
        self.assertEqual(os.readlink(self.folder / run / "latest.safetensors"), "checkpoint_000012.safetensors")
        options = json.loads((self.folder / run / "options.json").read_text())
        self.assertEqual((options["model"], options["seed"], options["source_hash"]), ("toy", 0, "toy-source"))
        self.assertIn("data x: [2]", options["source_text"][0]["text"])
        (line,) = self.stats(run)
        self.assertEqual((line["step"], line["epoch"]), (12, 3.0))
        self.assertEqual(set(line), {"step", "epoch", "loss/D", "loss/G", "loss/R", "grad_norm/D", "grad_norm/G", "watch/gap"})
        log = (self.folder / run / "log.txt").read_text()
        self.assertIn("6 parameters", log)
        self.assertEqual(self.run_toy("train").stdout.strip(), "runs/00001-toy-ring")

    def test_intervals_and_keep(self):
        self.run_toy("train", "--out", "a", "--log", 5, "--images", 6, "--snapshot", 2, "--keep", 2)
        names = os.listdir(self.folder / "a")
        self.assertEqual(sorted(n for n in names if n.startswith("checkpoint")),
                         ["checkpoint_000010.safetensors", "checkpoint_000012.safetensors"])
        self.assertEqual(sorted(n for n in names if n.startswith("samples")), ["samples_000006.png", "samples_000012.png"])
        self.assertEqual([line["step"] for line in self.stats("a")], [5, 10, 12])
        self.run_toy("train", "--out", "b", "--snapshot", 2, "--keep", 0)
        self.assertEqual(len([n for n in os.listdir(self.folder / "b") if n.startswith("checkpoint")]), 6)

    def test_limits(self):
        for option, step in ((("--steps", 5), 5), (("--epochs", 2), 8), (("--epochs", "0.5"), 2), (("--steps", 0), 0)):
            with self.subTest(option=option):
                out = "-".join(map(str, option))
                self.run_toy("train", "--out", out, *option)
                self.assertEqual(os.readlink(self.folder / out / "latest.safetensors"), f"checkpoint_{step:06}.safetensors")
        began = time.monotonic()
        self.run_toy("train", "--out", "s", "--seconds", "0.3", env={"TOY_EPOCHS": "1e6", "TOY_SLOW_US": "1000"})
        self.assertLess(time.monotonic() - began, 30)

    def test_json_is_stats_and_a_summary(self):
        done = self.run_toy("train", "--format", "json", "--log", 6)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([line.get("step") for line in lines], [6, 12, 12])
        self.assertEqual(set(lines[-1]), {"run", "checkpoint", "step", "seconds", "first_step_seconds", "median_step_seconds",
                                          "peak_bytes"})
        self.assertLess(lines[-1]["first_step_seconds"], 5)

    def test_stages_follow_each_other(self):
        env = {"TOY_BLOCKS": "1"}
        self.run_toy("train", "--out", "whole", "--log", 1, env=env)
        self.assertEqual([line["train"] for line in self.stats("whole")], ["first"] * 5 + ["second"] * 5)
        for stop in (4, 5, 6):
            self.run_toy("train", "--out", f"parts-{stop}", "--log", 1, "--steps", stop, env=env)
            self.run_toy("train", "--resume", f"parts-{stop}", "--steps", 100, env=env)
            self.assertEqual(self.stats("whole"), self.stats(f"parts-{stop}"))
            self.assertEqual(self.bytes("whole", "checkpoint_000010.safetensors"),
                             self.bytes(f"parts-{stop}", "checkpoint_000010.safetensors"))

    def test_an_out_folder_in_use(self):
        (self.folder / "full").mkdir()
        (self.folder / "full" / "x").touch()
        (self.folder / "file").touch()
        self.fails(1, "train", "--out", "full", says=["cannot begin a run in full", "not empty", "--resume"])
        self.fails(1, "train", "--out", "file", says="cannot create folder file")
        (self.folder / "empty").mkdir()
        self.run_toy("train", "--out", "empty", "--steps", 1)
        (self.folder / "killed").mkdir()  # before its options were written
        for name in ("log.txt", "stats.jsonl", "options.json.part"):
            (self.folder / "killed" / name).touch()
        self.run_toy("train", "--out", "killed", "--steps", 1)


class Bits(ToyTest):
    def test_threads_and_repeats_agree(self):
        runs = [1, 2, 3, 5, 2]
        for number, threads in enumerate(runs):
            self.run_toy("train", "--out", f"r{number}", "--threads", threads, "--log", 1)
        for number in range(1, len(runs)):
            self.assertEqual(self.bytes("r0", "checkpoint_000012.safetensors"), self.bytes(f"r{number}", "checkpoint_000012.safetensors"))
            self.assertEqual(self.stats("r0"), self.stats(f"r{number}"))
            self.assertEqual(self.bytes("r0", "samples_000012.png"), self.bytes(f"r{number}", "samples_000012.png"))

    def test_seeds_differ(self):
        self.run_toy("train", "--out", "a", "--seed", 1)
        self.run_toy("train", "--out", "b", "--seed", 2)
        self.assertNotEqual(self.bytes("a", "checkpoint_000012.safetensors"), self.bytes("b", "checkpoint_000012.safetensors"))

    def test_resume_is_as_if_never_stopped(self):
        self.run_toy("train", "--out", "whole", "--log", 1)
        for stop in (1, 3, 4, 11):
            out = f"parts-{stop}"
            self.run_toy("train", "--out", out, "--log", 1, "--steps", stop)
            done = self.run_toy("train", "--resume", out, "--epochs", 3)
            self.assertEqual(done.stdout.strip(), out)
            self.assertEqual(self.bytes("whole", "checkpoint_000012.safetensors"), self.bytes(out, "checkpoint_000012.safetensors"))
            self.assertEqual(self.stats("whole"), self.stats(out))

    def test_a_stop_leaves_no_line(self):
        self.run_toy("train", "--out", "whole", "--log", 4)
        self.run_toy("train", "--out", "a", "--log", 4, "--steps", 6)
        self.assertEqual([line["step"] for line in self.stats("a")], [4, 6])
        self.run_toy("train", "--resume", "a")  # nothing to do
        self.assertEqual([line["step"] for line in self.stats("a")], [4, 6])
        self.run_toy("train", "--resume", "a", "--epochs", 3)
        self.assertEqual(self.stats("whole"), self.stats("a"))

    def test_resume_from_an_older_checkpoint_drops_later_lines(self):
        self.run_toy("train", "--out", "a", "--log", 1, "--snapshot", 2, "--keep", 0)
        whole = self.bytes("a", "checkpoint_000012.safetensors")
        stats = self.stats("a")
        with open(self.folder / "a" / "stats.jsonl", "a") as file:
            file.write('{"step": 13, "cut o')
        self.run_toy("train", "--resume", "a/checkpoint_000006.safetensors", "--steps", 9)
        self.assertEqual(self.stats("a"), stats[:9])
        self.run_toy("train", "--resume", "a", "--steps", 12)
        self.assertEqual(self.bytes("a", "checkpoint_000012.safetensors"), whole)

    def stopped(self, number, signal_number, code, env):
        out = f"stopped-{number}"
        process = self.start("train", "--out", out, "--steps", 400, "--snapshot", 7, "--log", 1, env=env,
                             preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL))
        stats = self.folder / out / "stats.jsonl"
        while process.poll() is None and not (stats.exists() and stats.read_text().count("\n") >= 3):
            time.sleep(0.001)
        time.sleep(random.random() * 0.05)
        process.send_signal(signal_number)
        if signal_number == signal.SIGHUP:  # a terminal that goes sends several
            process.send_signal(signal_number)
        _, said = process.communicate(timeout=60)
        self.assertEqual(process.returncode, code, said)
        if code > 0:
            self.assertIn("go on with: train --resume", said)
        self.run_toy("train", "--resume", out, env=env)
        return self.bytes(out, "checkpoint_000400.safetensors")

    def test_signals_and_kill_then_resume(self):
        env = {"TOY_EPOCHS": "1000", "TOY_SLOW_US": "1000"}
        self.run_toy("train", "--out", "whole", "--steps", 400, env=env)
        whole = self.bytes("whole", "checkpoint_000400.safetensors")
        cases = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -9), (signal.SIGKILL, -9)]
        for number, (signal_number, code) in enumerate(cases):
            with self.subTest(signal=signal_number):
                self.assertEqual(self.stopped(number, signal_number, code, env), whole)

    def test_a_run_that_another_process_has(self):
        env = {"TOY_EPOCHS": "1000", "TOY_SLOW_US": "1000"}
        process = self.start("train", "--out", "a", "--snapshot", 4, env=env)
        while not (self.folder / "a" / "latest.safetensors").is_symlink():
            time.sleep(0.01)
        self.fails(1, "train", "--resume", "a", "--steps", 20, env=env, says=["run folder a is in use", "stop that one"])
        process.kill()
        process.communicate(timeout=60)
        self.run_toy("train", "--resume", "a", "--epochs", 2000, "--seconds", 0.1, env=env)

    def test_nohup_stays(self):
        env = {"TOY_EPOCHS": "1000", "TOY_SLOW_US": "1000"}
        process = self.start("train", "--out", "a", "--seconds", 1, env=env, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        while not (self.folder / "a" / "reals.png").exists():
            time.sleep(0.01)
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)

    def test_a_second_signal_leaves_at_once(self):
        env = {"TOY_EPOCHS": "1000", "TOY_SLOW_US": "3000000"}
        process = self.start("train", "--out", "a", env=env)
        while not (self.folder / "a" / "options.json").exists():
            time.sleep(0.01)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        self.assertLess(time.monotonic() - began, 2)

    def test_a_run_killed_before_its_first_checkpoint_begins_again(self):
        self.run_toy("train", "--out", "whole")
        self.run_toy("train", "--out", "a", "--steps", 2, "--log", 1)
        (self.folder / "a" / "latest.safetensors").unlink()
        (self.folder / "a" / "checkpoint_000002.safetensors").unlink()
        self.run_toy("train", "--resume", "a", "--epochs", 3)
        self.assertEqual(self.bytes("whole", "checkpoint_000012.safetensors"), self.bytes("a", "checkpoint_000012.safetensors"))


    def test_a_lost_link_costs_nothing(self):
        self.run_toy("train", "--out", "a", "--log", 1, "--snapshot", 2, "--keep", 0)
        whole, stats = self.bytes("a", "checkpoint_000012.safetensors"), self.stats("a")
        link, newest = self.folder / "a" / "latest.safetensors", self.folder / "a" / "checkpoint_000012.safetensors"
        for lose, lost in ((lambda: None, "is not there"), (lambda: link.symlink_to("checkpoint_000099.safetensors"), "points to nothing")):
            with self.subTest(lost=lost):
                link.unlink()
                lose()
                newest.write_bytes(whole[:-1])  # not the newest, but the newest that is whole
                said = f"latest.safetensors {lost}; the newest whole checkpoint is a/checkpoint_000010.safetensors"
                self.assertIn(said, self.run_toy("info", "a").stderr)
                self.assertIn(said, self.run_toy("sample", "a", "-o", "x.npy").stderr)
                self.assertIn(said, self.run_toy("train", "--resume", "a").stderr)
                self.assertEqual(os.readlink(link), "checkpoint_000012.safetensors")
                self.assertEqual((self.bytes("a", "checkpoint_000012.safetensors"), self.stats("a")), (whole, stats))
        for path in (self.folder / "a").glob("checkpoint_*"):
            path.write_bytes(b"")
        link.unlink()
        self.fails(1, "train", "--resume", "a", says="checkpoint_000012.safetensors")
        self.assertEqual(self.stats("a"), stats)

    def test_a_picture_that_cannot_be_written_does_not_cost_the_state(self):
        env = {"TOY_EPOCHS": "2"}
        self.run_toy("train", "--out", "a", "--steps", 3, env=env)
        (self.folder / "a" / "samples_000008.png").mkdir()
        self.fails(1, "train", "--resume", "a", "--epochs", 2, env=env, says="samples_000008.png")
        self.assertEqual(os.readlink(self.folder / "a" / "latest.safetensors"), "checkpoint_000008.safetensors")


class Resume(ToyTest):
    def setUp(self):
        super().setUp()
        self.run_toy("train", "--out", "a", "--steps", 3, "--seed", 4)

    def test_contradictions(self):
        for option, value, there in (("--seed", 5, "4"), ("--log", 7, "50"), ("--snapshot", 2, "none"), ("--keep", 1, "3"),
                                     ("--weights", "G=x", "none"), ("--out", "b", "a")):
            with self.subTest(option=option):
                self.fails(1, "train", "--resume", "a", option, value,
                           says=[f"`{option} {value}` contradicts the run, which has {there}"])
        self.run_toy("train", "--resume", "a", "--seed", 4, "--out", "a", "--threads", 1, "--steps", 4)
        self.run_toy("train", "--resume", "a/", "--out", "./a", "--steps", 5)
        self.run_toy("train", "--resume", self.folder / "a", "--out", "a", "--steps", 6)

    def test_seconds_leave_the_recorded_steps(self):
        done = self.run_toy("train", "--resume", "a", "--seconds", 100)
        self.assertIn("complete at step 3; a larger --steps or --epochs goes on", done.stderr)
        self.run_toy("train", "--resume", "a", "--epochs", 3)
        done = self.run_toy("train", "--resume", "a", "--epochs", 9)
        self.assertIn("complete at step 12; the program's schedule ends there", done.stderr)

    def test_another_program(self):
        self.fails(1, "train", "--resume", "a", env={"TOY_HASH": "other"},
                   says=["of another program", "toy-hash", "other", "--init", "other options of the build (--set, -O0)"])
        options = self.folder / "a" / "options.json"
        options.write_text(options.read_text().replace('"exact"', '"fast"'))
        for arguments in (("train", "--resume", "a"), ("sample", "a")):
            self.fails(1, *arguments, env={"TOY_HASH": "other"}, says='here (precision "fast" there and "exact" here); use')

    def test_what_is_no_run(self):
        self.fails(1, "train", "--resume", "nowhere", says="cannot resume nowhere: No such file or directory")
        (self.folder / "empty").mkdir()
        self.fails(1, "train", "--resume", "empty", says="cannot read empty/options.json")
        (self.folder / "a" / "options.json").write_text('{"model_hash": [[')
        self.fails(1, "train", "--resume", "a", says="options.json: byte")
        (self.folder / "a" / "options.json").write_text('{"model_hash": "toy-hash", "model": "toy"}')
        self.fails(1, "train", "--resume", "a", says="its `seed` is missing or wrong")

    def test_a_complete_run_says_so(self):
        done = self.run_toy("train", "--resume", "a", "--steps", 3)
        self.assertIn("complete at step 3", done.stderr)

    def test_resume_and_init_exclude_each_other(self):
        self.fails(2, "train", "--resume", "a", "--init", "x", says="give one of them")

    def test_changed_data(self):
        self.fails(1, "train", "--resume", "a", "--steps", 4, env={"TOY_SAMPLES": "32"},
                   says=["the data of toy.gan:1 have changed: 64 samples when the run was saved, 32 now"])

    def test_another_instruction_set_is_logged(self):
        done = self.run_toy("train", "--resume", "a", "--cpu", "x86-64-v3", "--steps", 4)
        if "avx512f" in pathlib.Path("/proc/cpuinfo").read_text():
            self.assertIn("made with x86-64-v4 and goes on with x86-64-v3: from step 3 the bits differ", done.stderr)
            # The run's set is the CPU's, and not the trainer's.
            self.run_toy("train", "--out", "v4", "--steps", 1)
            self.fails(1, "train", "--resume", "v4", "--steps", 5, env={"TOY_ISA": "x86-64-v3"},
                       says="made with x86-64-v4, and this trainer has no code for it; pass --cpu x86-64-v3")
        # A checkpoint of an instruction set that this CPU lacks: the variants of this trainer are another one's.
        self.fails(1, "train", "--resume", "a", "--steps", 5, env={"TOY_ISA": "x86-64-v9"}, says="lacks")

    def test_damage_at_every_place(self):
        path = self.folder / "a" / "checkpoint_000003.safetensors"
        whole = path.read_bytes()
        random.seed(1)
        for count in range(40):
            at = random.randrange(len(whole))
            broken = bytearray(whole)
            broken[at] ^= 1 << random.randrange(8)
            path.write_bytes(broken)
            done = self.run_toy("train", "--resume", "a", "--steps", 4, expect=1)
            self.assertEqual(done.stderr.count("error:"), 1, f"byte {at}: {done.stderr}")
        for length in (0, 7, 8, 100, len(whole) - 1):
            path.write_bytes(whole[:length])
            self.fails(1, "train", "--resume", "a", "--steps", 4, says="damaged")
        path.write_bytes(whole + b"x")
        self.fails(1, "train", "--resume", "a", "--steps", 4, says="follow the header")

    def test_places_that_are_no_file(self):
        path = self.folder / "a" / "checkpoint_000003.safetensors"
        path.unlink()
        self.fails(1, "train", "--resume", "a", says="a has no checkpoint: a/latest.safetensors points to nothing")
        os.mkfifo(path)
        self.fails(1, "train", "--resume", "a", says="it is a FIFO, and a file is needed here")
        path.unlink()
        path.mkdir()
        self.fails(1, "train", "--resume", "a", says="it is a folder")
        os.mkfifo(self.folder / "pipe")
        self.fails(1, "train", "--resume", "pipe", says="it is a FIFO, and a file is needed here")


class Data(ToyTest):
    def write(self, name, count=64, bad=None):
        values = [float(i % 7) for i in range(2 * count)]
        if bad is not None:
            values[2 * bad + 1] = float("nan")
        (self.folder / name).write_bytes(npy_bytes((count, 2), values))

    def test_a_run_goes_on_from_any_folder_and_with_data_that_moved(self):
        for name in ("d", "elsewhere"):
            (self.folder / name).mkdir()
        self.write("d/x.npy")
        self.run_toy("train", "--out", "whole", "--data", "d/x.npy")
        self.run_toy("train", "--out", "a", "--data", "d/../d/x.npy", "--steps", 3)
        elsewhere = self.folder / "elsewhere"
        self.run_toy("train", "--resume", "../a", "--steps", 5, cwd=elsewhere)
        self.run_toy("train", "--resume", "a", "--data", self.folder / "d" / "x.npy", "--steps", 6)
        os.rename(self.folder / "d", self.folder / "moved")
        self.fails(1, "train", "--resume", "a", "--steps", 7, says="d/x.npy: there is no such file or folder")
        self.run_toy("train", "--resume", "a", "--data", "moved/x.npy", "--steps", 7)
        self.run_toy("train", "--resume", "a", "--epochs", 3)  # the new place is recorded
        self.assertEqual(self.bytes("a", "checkpoint_000012.safetensors"), self.bytes("whole", "checkpoint_000012.safetensors"))
        self.write("other.npy", 32)
        self.fails(1, "train", "--resume", "a", "--data", "other.npy", "--steps", 13, says="have changed: 64 samples when the run was saved")

    def test_the_last_place_counts(self):
        self.write("one.npy")
        self.write("two.npy")
        for places, used in ((("one.npy", "two.npy"), "two"), (("x=one.npy", "two.npy"), "one"), (("one.npy", "x=two.npy"), "two")):
            with self.subTest(places=places):
                done = self.run_toy("train", "--steps", 1, *(text for place in places for text in ("--data", place)))
                self.assertIn(f"{used}.npy", done.stderr)

    def test_less_samples_than_a_batch(self):
        self.write("few.npy", 5)
        self.assertIn("toy.gan:1 has 5 samples, and a batch 8", self.run_toy("train", "--steps", 1, "--data", "few.npy").stderr)
        self.assertNotIn("and a batch", self.run_toy("train", "--steps", 1).stderr)

    def test_a_number_that_is_not_finite(self):
        for bad in (5, 40):
            self.write("bad.npy", bad=bad)
            done = self.fails(3, "train", "--data", "bad.npy", says=[f"the data: `x` of sample {bad} (from 0) is nan (toy.gan:1: ", "bad.npy"])
            self.assertNotIn("learning rate", done.stderr)


class Init(ToyTest):
    def test_what_matches_is_taken_and_the_rest_listed(self):
        tensors = {"G.w": ("F32", [2], [1, 2]), "G.b": ("F32", [3], [1, 2, 3]), "E.w": ("F64", [1], [0])}
        (self.folder / "w").write_bytes(tensor_bytes(tensors))
        done = self.run_toy("train", "--init", "w", "--steps", 0, "--out", "a")
        for text in ("G.b is [3] in the file and [2] in the program", "D.v is not in the file", "E.w [1] is not in the program"):
            self.assertIn(text, done.stderr)
        self.assertEqual(read_tensors(self.folder / "a" / "checkpoint_000000.safetensors")["G.w"][2], [1, 2])

    def test_nothing_matches(self):
        (self.folder / "w").write_bytes(tensor_bytes({"x": ("F32", [1], [1])}))
        self.fails(1, "train", "--init", "w", says="none of its tensors has name and shape")

    def test_weights_of_a_net(self):
        (self.folder / "w").write_bytes(tensor_bytes({"w": ("F64", [2], [3, 4]), "G.b": ("F32", [2], [5, 6])}))
        self.run_toy("train", "--weights", "G=w", "--steps", 0, "--out", "a")
        tensors = read_tensors(self.folder / "a" / "checkpoint_000000.safetensors")
        self.assertEqual((tensors["G.w"][2], tensors["G.b"][2]), ([3, 4], [5, 6]))
        self.fails(2, "train", "--weights", "X=w", says="no net `X`")
        self.fails(1, "train", "--weights", "D=w", says="cannot load net D from w: it lacks D.v")
        self.fails(1, "train", "--weights", "G=nowhere", says=["cannot read nowhere", "--weights G=PATH"])
        (self.folder / "w").write_bytes(tensor_bytes({"w": ("F32", [1], [3])}))
        self.fails(1, "train", "--weights", "G=w", says="`w` is [1] there, and [2] in the program")


class Divergence(ToyTest):
    def test_is_traced_to_its_operation(self):
        done = self.fails(3, "train", "--out", "a", "--snapshot", 3, env={"TOY_DIVERGE_AT": "7"},
                          says=["training diverged in step 8", "the weight G.w has a value that is not finite",
                                "objective of G, toy.gan:6", "`divide` in D.critic (toy.gan:6) or what is computed in one kernel with it: `exp`, "
                                "`log` in D (toy.gan:5) (the same run by a trainer from `ganc build -O0` names the one); the",
                                "the last good checkpoint is a/checkpoint_000006.safetensors"])
        self.assertIn("repeats steps 7 to 8", done.stderr)
        self.assertEqual(os.readlink(self.folder / "a" / "latest.safetensors"), "checkpoint_000006.safetensors")
        self.assertNotIn("checkpoint_000008.safetensors", os.listdir(self.folder / "a"))

    def test_before_the_first_checkpoint(self):
        self.fails(3, "train", "--out", "a", "--snapshot", 0, env={"TOY_DIVERGE_AT": "0"},
                   says=["in step 1", "no checkpoint was due before", "`divide` in D.critic"])

    def test_as_json(self):
        done = self.run_toy("train", "--format", "json", env={"TOY_DIVERGE_AT": "2"}, expect=3)
        last = json.loads(done.stdout.splitlines()[-1])
        self.assertEqual(last["exit_code"], 3)
        self.assertIn("diverged in step 3", last["diagnostics"][0]["message"])


class Disk(ToyTest):
    def test_a_limit_on_file_size_leaves_the_checkpoint_before(self):
        self.run_toy("train", "--out", "a", "--steps", 3)
        before = self.bytes("a", "checkpoint_000003.safetensors")
        limit = len(before) - 100
        done = self.fails(1, "train", "--resume", "a", "--steps", 4, says=["File too large", "ulimit -f"],
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        self.assertIn("a/", done.stderr)
        self.assertEqual(os.readlink(self.folder / "a" / "latest.safetensors"), "checkpoint_000003.safetensors")
        self.assertEqual(self.bytes("a", "checkpoint_000003.safetensors"), before)
        self.assertEqual([n for n in os.listdir(self.folder / "a") if n.endswith(".part")], [])
        self.run_toy("train", "--resume", "a", "--steps", 4)

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full here")
    def test_a_full_disk(self):
        self.run_toy("train", "--out", "a", "--steps", 3)
        os.rename(self.folder / "a" / "log.txt", self.folder / "a" / "log.old")
        (self.folder / "a" / "stats.jsonl").unlink()
        os.symlink("/dev/full", self.folder / "a" / "stats.jsonl")
        self.fails(1, "train", "--resume", "a", "--steps", 4, says="stats.jsonl: it is a device")

    def test_a_folder_without_permission(self):
        if os.geteuid() == 0:
            self.skipTest("root may write everywhere")
        (self.folder / "locked").mkdir(mode=0o500)
        self.fails(1, "train", "--out", "locked/run", says="Permission denied")


class Environment(ToyTest):
    def test_a_cpu_without_what_is_needed(self):
        self.fails(1, "train", env={"TOY_ISA": "x86-64-v9"}, says=["lacks x86-64-v9", "run the trainer on a CPU"])

    def test_standard_output_that_takes_nothing(self):
        reader, writer = os.pipe()
        os.close(reader)
        for name, redirect in (("closed", ">&-"), ("full", ">/dev/full"), ("gone", f">&{writer}")):
            with self.subTest(output=name):
                done = subprocess.run(["sh", "-c", f'"$0" train --steps 5 --out {name} {redirect}', TRAINER], pass_fds=[writer],
                                      cwd=self.folder, text=True, stderr=subprocess.PIPE)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn("cannot write standard output", done.stderr)
                # The run itself is whole, and no file holds what the stream did not take.
                self.run_toy("train", "--steps", 5, "--out", f"{name}-whole")
                for file in ("checkpoint_000005.safetensors", "samples_000005.png", "reals.png"):
                    self.assertEqual(self.bytes(name, file), self.bytes(f"{name}-whole", file))
        os.close(writer)

    def test_threads_that_the_system_does_not_give(self):
        def little_room():  # for stacks: a limit on processes does not hold for root
            resource.setrlimit(resource.RLIMIT_STACK, (1 << 26, resource.getrlimit(resource.RLIMIT_STACK)[1]))
            resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))

        done = self.fails(1, "train", "--threads", 64, "--format", "json", says=["cannot start 64 threads", "--threads", "ulimit -u"],
                          preexec_fn=little_room)
        self.assertEqual(json.loads(done.stdout)["exit_code"], 1)

    def test_unknown_instruction_set(self):
        self.fails(2, "train", "--cpu", "amx", says="no code for --cpu amx; it has x86-64-v3, x86-64-v4")

    def test_a_data_field_that_is_not_there(self):
        self.fails(2, "train", "--data", "y=/tmp", says="no data field `y`")

    def test_no_more_output_than_asked_for(self):
        done = self.run_toy("train", "--steps", 5, env={"NO_COLOR": "1"})
        self.assertNotIn("\033", done.stderr)
        self.assertNotIn("\r", done.stderr)


if __name__ == "__main__":
    random.seed(int(os.environ.get("GANC_FUZZ_SEED", "1")))
    unittest.main(verbosity=1)
