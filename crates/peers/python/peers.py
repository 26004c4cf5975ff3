"""The peers that are called from Python: a child process of ecphory-peers.

One request a line on stdin, one reply a line on stdout, both JSON. Numbers travel through raw little-endian files in
the folder that a request names.

    {"load": "similarity", "folder": ..., ...}  ->  {"peers": [{"name": ..., "note": ...}, ...]}
    {"answer": "numpy", "folder": ...}          ->  {"file": ...}
    {"run": "numpy", "times": 3}                ->  {"ns": ...}

A request that fails is answered by {"error": ...}.
"""

import importlib
import json
import os
import sys
import time

# Replies alone: what libraries print goes where errors go.
replies = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

import numpy as np


class Peer:
    """One contender: `work` does the work once and returns the answer."""

    def __init__(self, name, work, note=None, run=None, dtype=np.float32):
        self.name = name
        self.work = work
        self.note = note
        self.run = run or self.repeat
        self.dtype = dtype

    def repeat(self, times):
        start = time.thread_time_ns()
        for _ in range(times):
            self.work()
        return time.thread_time_ns() - start


missing = set()


def library(name):
    """A module, or None where it is not installed, which is said once."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        if name not in missing:
            missing.add(name)
            print(f"python: {name} is left out: {error}", file=sys.stderr, flush=True)
        return None


def read(folder, name, dtype):
    return np.fromfile(os.path.join(folder, name), dtype=dtype)


# Similarity


def numpy_scores(queries, rows, metric):
    """The scores of all rows, by query, or None for a metric that numpy's users would not write."""
    one = queries[0] if len(queries) == 1 else None
    square = lambda matrix: np.einsum("ij,ij->i", matrix, matrix)
    dot = (lambda: rows @ one) if one is not None else (lambda: queries @ rows.T)
    if metric == "dot":
        return dot
    if metric == "cosine" and one is not None:
        return lambda: dot() / (np.sqrt(square(rows)) * np.sqrt(one @ one))
    if metric == "cosine":
        return lambda: dot() / np.sqrt(square(queries))[:, None] / np.sqrt(square(rows))
    if metric == "sql2" and one is not None:
        return lambda: square(rows - one)
    if metric == "sql2":
        return lambda: square(queries)[:, None] + square(rows) - 2.0 * dot()
    return None


def numpy_top(scores, k, ascending):
    def best(each):
        if ascending:
            at = np.argpartition(each, k - 1)[:k] if k < len(each) else np.arange(len(each))
            return at[np.argsort(each[at])]
        at = np.argpartition(each, -k)[-k:] if k < len(each) else np.arange(len(each))
        return at[np.argsort(each[at])[::-1]]

    def top():
        all_scores = scores()
        return best(all_scores) if all_scores.ndim == 1 else np.stack([best(each) for each in all_scores])

    return top


def faiss_top(queries, rows, metric, k):
    """Search of a flat index; cosine would need rows that were normalised before."""
    faiss = library("faiss") if metric in ("dot", "sql2") else None
    if faiss is None:
        return None
    faiss.omp_set_num_threads(1)
    index = (faiss.IndexFlatIP if metric == "dot" else faiss.IndexFlatL2)(rows.shape[1])
    index.add(rows)
    return lambda: index.search(queries, k)[1]


def similarity(order):
    dim, metric, k = order["dim"], order["metric"], order["k"]
    queries = read(order["folder"], "queries", np.float32).reshape(-1, dim)
    rows = read(order["folder"], "rows", np.float32).reshape(-1, dim)
    scores = numpy_scores(queries, rows, metric)
    if scores is None:
        return []
    note = "norms in every call" if metric == "cosine" else None
    if order["case"] in ("1xN", "MxN"):
        return [Peer("numpy", scores, note)]
    if order["case"] != "topk":
        return []
    peers = [Peer("numpy", numpy_top(scores, k, metric == "sql2"), note, dtype=np.uint32)]
    search = faiss_top(queries, rows, metric, k)
    if search:
        peers.append(Peer("faiss", search, "a flat index", dtype=np.uint32))
    return peers


# Decay

PASSES = 64  # Passes over strengths before they are set to 1 again, outside the measured time.


def decay(order):
    ages = read(order["folder"], "ages", np.float32)
    strengths = np.ones_like(ages)
    if order["law"] == "exponential":
        rate = np.float32(-1.0 / order["half_life"])

        def apply():
            np.multiply(strengths, np.exp2(ages * rate), out=strengths)

    elif order["law"] == "power":
        scale, exponent = np.float32(1.0 / order["scale"]), np.float32(-order["exponent"])

        def apply():
            np.multiply(strengths, np.power(np.float32(1.0) + ages * scale, exponent), out=strengths)

    else:
        return []

    def run(times):
        took = 0
        while times > 0:
            now = min(times, PASSES)
            strengths.fill(1.0)
            start = time.thread_time_ns()
            for _ in range(now):
                apply()
            took += time.thread_time_ns() - start
            times -= now
        return took

    def once():
        strengths.fill(1.0)
        apply()
        return strengths

    return [Peer("numpy", once, "several passes", run=run)]


# Spreading


class Walk:
    """Edges by target and their shares, 1 - restart in all of each source."""

    def __init__(self, order):
        folder = order["folder"]
        self.offsets = read(folder, "offsets", np.uint32).astype(np.int32)
        self.sources = read(folder, "sources", np.uint32).astype(np.int32)
        self.shares = read(folder, "shares", np.float64)
        self.start = read(folder, "start", np.float32)
        self.nodes = len(self.offsets) - 1
        self.restart, self.tolerance, self.time = order["restart"], order["tolerance"], order["time"]
        self.seeds = np.array([node for node, _ in order["seeds"]])
        self.masses = np.array([mass for _, mass in order["seeds"]])

    def matrix(self, sparse, dtype):
        parts = (self.shares.astype(dtype), self.sources, self.offsets)
        return sparse.csr_matrix(parts, shape=(self.nodes, self.nodes))

    def targets(self):
        return np.repeat(np.arange(self.nodes, dtype=np.int32), np.diff(self.offsets))


def scipy_iteration(walk):
    sparse = library("scipy.sparse")
    if sparse is None:
        return None
    shares, start, seeds = walk.matrix(sparse, np.float32), walk.start, walk.seeds
    added = (walk.restart * walk.masses).astype(np.float32)

    def iteration():
        after = shares @ start
        after[seeds] += added
        return after

    return Peer("scipy", iteration)


def scipy_power(walk):
    sparse = library("scipy.sparse")
    if sparse is None:
        return None
    shares, seeds, masses, tolerance = walk.matrix(sparse, np.float64), walk.seeds, walk.masses, walk.tolerance

    def solve():
        now = np.zeros(walk.nodes)
        now[seeds] = masses
        while True:
            after = shares @ now
            after[seeds] += (1.0 - after.sum()) * masses
            change = np.abs(after - now).sum()
            now = after
            if change < tolerance:
                return now

    return Peer("scipy", solve, dtype=np.float64)


def scipy_heat(walk):
    sparse, linalg = library("scipy.sparse"), library("scipy.sparse.linalg")
    if sparse is None or linalg is None:
        return None
    # What is at nodes without edges goes to the seeds: by edges here.
    ends = np.flatnonzero(np.bincount(walk.sources, minlength=walk.nodes) == 0)
    masses = np.repeat(walk.masses, len(ends))
    back = (masses, (np.repeat(walk.seeds, len(ends)), np.tile(ends, len(walk.seeds))))
    shape = (walk.nodes, walk.nodes)
    steps = walk.matrix(sparse, np.float64) / (1.0 - walk.restart) + sparse.coo_matrix(back, shape=shape)
    generator = (walk.time * (steps - sparse.identity(walk.nodes))).tocsr()
    trace = generator.trace()
    begun = np.zeros(walk.nodes)
    np.add.at(begun, walk.seeds, walk.masses)
    return Peer("scipy", lambda: linalg.expm_multiply(generator, begun, traceA=trace), "to 2^-53", dtype=np.float64)


class GraphBlas:
    """Vectors and a matrix of SuiteSparse, and its C functions: the layer above costs more than a small product."""

    def __init__(self, walk, name):
        gb = library("graphblas")
        gb.init("suitesparse", blocking=True)
        gb.ss.config["nthreads"] = 1
        raw = importlib.import_module("suitesparse_graphblas")
        self.gb, self.lib, self.none, self.new = gb, raw.lib, raw.ffi.NULL, raw.ffi.new
        self.dtype, self.nodes = {"FP32": np.float32, "FP64": np.float64}[name], walk.nodes
        self.product = gb.semiring.plus_times[name].gb_obj
        self.plus, self.minus = gb.binary.plus[name].gb_obj, gb.binary.minus[name].gb_obj
        self.sum, self.abs = gb.monoid.plus[name].gb_obj, gb.unary.abs[name].gb_obj
        self.shares = gb.Matrix.ss.import_csr(
            nrows=walk.nodes,
            ncols=walk.nodes,
            indptr=walk.offsets.astype(np.uint64),
            col_indices=walk.sources.astype(np.uint64),
            values=walk.shares.astype(self.dtype),
            sorted_cols=True,
        )

    def full(self, values):
        return self.gb.Vector.from_dense(values.astype(self.dtype))

    def few(self, nodes, values):
        return self.gb.Vector.from_coo(nodes, values.astype(self.dtype), size=self.nodes)

    def flow(self, now, after):
        """Into a full vector of zeros: into an empty one the product takes twice as long."""
        clear = {np.float32: self.lib.GrB_Vector_assign_FP32, np.float64: self.lib.GrB_Vector_assign_FP64}[self.dtype]
        none = self.none
        clear(after._carg, none, none, 0.0, self.lib.GrB_ALL, self.nodes, none)
        self.lib.GrB_mxv(after._carg, none, self.plus, self.product, self.shares._carg, now._carg, none)

    def add(self, few, after):
        none = self.none
        self.lib.GrB_Vector_assign(after._carg, none, self.plus, few._carg, self.lib.GrB_ALL, self.nodes, none)


def graphblas_iteration(walk):
    if library("graphblas") is None:
        return None
    blas = GraphBlas(walk, "FP32")
    start, after = blas.full(walk.start), blas.full(np.zeros(walk.nodes))
    added = blas.few(walk.seeds, walk.restart * walk.masses)

    def iteration():
        blas.flow(start, after)
        blas.add(added, after)

    def answer():
        iteration()
        return after.to_dense()

    return Peer("graphblas", answer, run=Peer("", iteration).repeat)


def graphblas_power(walk):
    if library("graphblas") is None:
        return None
    blas = GraphBlas(walk, "FP64")
    lib, none = blas.lib, blas.none
    vectors = [blas.full(np.zeros(walk.nodes)) for _ in range(3)]
    missing, sum_of = blas.few(walk.seeds, walk.masses), blas.new("double*")

    def total(vector):
        lib.GrB_Vector_reduce_FP64(sum_of, none, blas.sum, vector._carg, none)
        return sum_of[0]

    def restart(mass, vector):
        for node, share in zip(walk.seeds.tolist(), walk.masses.tolist()):
            lib.GrB_Vector_setElement_FP64(missing._carg, mass * share, node)
        blas.add(missing, vector)

    def solve():
        now, after, change = vectors
        lib.GrB_Vector_assign_FP64(now._carg, none, none, 0.0, lib.GrB_ALL, walk.nodes, none)
        restart(1.0, now)
        while True:
            blas.flow(now, after)
            restart(1.0 - total(after), after)
            lib.GrB_Vector_eWiseAdd_BinaryOp(change._carg, none, none, blas.minus, after._carg, now._carg, none)
            lib.GrB_Vector_apply(change._carg, none, none, blas.abs, change._carg, none)
            now, after = after, now
            if total(change) < walk.tolerance:
                return now

    return Peer("graphblas", lambda: solve().to_dense(), run=Peer("", solve).repeat, dtype=np.float64)


def networkit_iteration(walk):
    """PageRank from anywhere, ten iterations a call: after more of them nothing changes, and it would stop."""
    # A graph of millions of edges takes longer to build than everything else to run.
    nk = library("networkit") if len(walk.sources) <= 2_000_000 else None
    if nk is None:
        return None
    nk.setNumberOfThreads(1)
    edges = (walk.shares, (walk.sources, walk.targets()))
    graph = nk.GraphFromCoo(edges, n=walk.nodes, weighted=True, directed=True)

    def rank(iterations):
        ranks = nk.centrality.PageRank(graph, 1.0 - walk.restart, 1e-300)
        ranks.maxIterations = iterations
        return ranks.run()

    def run(times, iterations=10):
        calls = -(-times // iterations)
        start = time.thread_time_ns()
        done = sum(rank(iterations).numberOfIterations() for _ in range(calls))
        took = time.thread_time_ns() - start
        if done != calls * iterations:
            raise RuntimeError(f"networkit: expected {calls * iterations} iterations, found {done}")
        return took * times // done

    return Peer("networkit", lambda: rank(64).scores(), "f64, restarts anywhere", run=run)


def igraph_power(walk):
    igraph = library("igraph")
    if igraph is None:
        return None
    edges = zip(walk.sources.tolist(), walk.targets().tolist())
    graph = igraph.Graph(n=walk.nodes, edges=edges, directed=True)
    # PRPACK makes shares of them itself.
    graph.es["weight"] = walk.shares.tolist()
    reset = np.zeros(walk.nodes)
    reset[walk.seeds] = walk.masses
    reset = reset.tolist()

    def solve():
        return graph.personalized_pagerank(
            directed=True, damping=1.0 - walk.restart, reset=reset, weights="weight", implementation="prpack"
        )

    return Peer("igraph", solve, "PRPACK", dtype=np.float64)


def spreading(order):
    makers = {
        "ppr_iteration": [scipy_iteration, graphblas_iteration, networkit_iteration],
        "ppr_power": [scipy_power, graphblas_power, igraph_power],
        "heat": [scipy_heat],
    }
    walk = Walk(order)
    return [peer for peer in (make(walk) for make in makers.get(order["case"], [])) if peer]


def agreement(order):
    """Ranks in f64 of a graph by source, with both rules for nodes without edges where a library has them."""
    folder = order["folder"]
    offsets = read(folder, "offsets", np.uint32).astype(np.int64)
    targets = read(folder, "targets", np.uint32)
    weights = read(folder, "weights", np.float32).astype(np.float64)
    nodes = len(offsets) - 1
    sources = np.repeat(np.arange(nodes), np.diff(offsets))
    edges = list(zip(sources.tolist(), targets.tolist()))
    seeds = dict(order["seeds"])
    peers = []

    nx = library("networkx")
    if nx is not None:
        graph = nx.DiGraph()
        graph.add_nodes_from(range(nodes))
        graph.add_weighted_edges_from(zip(sources.tolist(), targets.tolist(), weights.tolist()))
        anywhere = {node: 1.0 for node in range(nodes)} if order["anywhere"] else None

        def rank():
            # It stops when an iteration changes less than nodes times tol in all.
            ranks = nx.pagerank(
                graph,
                alpha=order["damping"],
                personalization=seeds,
                dangling=anywhere,
                tol=1e-13 / nodes,
                max_iter=1000,
            )
            return np.array([ranks[node] for node in range(nodes)])

        peers.append(Peer("networkx", rank, dtype=np.float64))

    # Nodes without edges go on to where walks restart.
    igraph = library("igraph") if not order["anywhere"] else None
    if igraph is not None:
        directed = igraph.Graph(n=nodes, edges=edges, directed=True)
        directed.es["weight"] = weights.tolist()
        reset = [seeds.get(node, 0.0) for node in range(nodes)]

        def prpack():
            return directed.personalized_pagerank(
                directed=True, damping=order["damping"], reset=reset, weights="weight", implementation="prpack"
            )

        peers.append(Peer("igraph", prpack, dtype=np.float64))
    return peers


# Requests

suites = {"similarity": similarity, "decay": decay, "spreading": spreading, "agreement": agreement}
peers = {}


def reply(order):
    global peers
    if "load" in order:
        peers = {}
        peers = {peer.name: peer for peer in suites[order["load"]](order)}
        return {"peers": [{"name": peer.name, "note": peer.note} for peer in peers.values()]}
    if "answer" in order:
        peer = peers[order["answer"]]
        path = os.path.join(order["folder"], "answer")
        np.ascontiguousarray(peer.work(), dtype=peer.dtype).tofile(path)
        return {"file": path}
    return {"ns": peers[order["run"]].run(order["times"])}


for line in sys.stdin:
    try:
        answer = reply(json.loads(line))
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), file=replies, flush=True)
