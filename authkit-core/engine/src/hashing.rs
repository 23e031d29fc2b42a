//! Argon2id on a pool of threads of its own.

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};
use async_trait::async_trait;
use authkit_core::{
    ports::{HashError, PasswordHasher, Random, Verified},
    wire::Secret,
};
use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
};
use subtle::ConstantTimeEq as _;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

/// The most that a *stored* hash may ask for, beyond the parameters in force: whoever can write a row must not be able to
/// take the machine with it.
const MOST_MEMORY_KIB: u32 = 256 * 1024;
const MOST_ITERATIONS: u32 = 16;
const MOST_LANES: u32 = 16;
const OUTPUT: usize = 32;

/// How the pool works.
#[derive(Clone, Debug)]
pub struct Argon2Options {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Iterations.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
    /// Threads.
    pub threads: usize,
    /// Jobs that may wait.
    pub queue: usize,
}

impl From<&crate::config::Argon2> for Argon2Options {
    fn from(config: &crate::config::Argon2) -> Self {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            memory_kib: config.memory_kib,
            iterations: config.iterations,
            parallelism: config.parallelism,
            threads: config.threads.unwrap_or_else(cores),
            queue: config.queue,
        }
    }
}

/// Argon2id (RFC 9106) on dedicated threads, each of which keeps its memory blocks between jobs, behind a bounded queue.
/// The blocks are taken when a thread first works, so an idle pool costs nothing.
///
/// A job whose caller has gone before it began is skipped. Dropping the pool lets running jobs end and refuses waiting ones.
pub struct Argon2Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
    capacity: usize,
    params: Params,
    random: Arc<dyn Random>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Job>,
    idle: usize,
    closed: bool,
}

/// What a thread is to do, and whom it answers.
struct Job {
    password: Secret,
    task: Task,
    done: oneshot::Sender<Result<Done, HashError>>,
}

enum Task {
    Hash,
    Verify(String),
    /// The work of `Verify` without a hash to compare with.
    Nothing,
}

enum Done {
    Hash(String),
    Verified(Verified),
}

impl Argon2Pool {
    /// Starts the threads.
    ///
    /// # Errors
    /// For parameters that Argon2 does not take, no thread or no queue, or when the system gives no thread.
    pub fn start(options: &Argon2Options, random: Arc<dyn Random>) -> Result<Self, String> {
        let params = Params::new(options.memory_kib, options.iterations, options.parallelism, Some(OUTPUT))
            .map_err(|error| format!("Argon2 does not take these parameters: {error}"))?;
        if options.threads == 0 || options.queue == 0 {
            return Err("the hash pool needs a thread and a queue".into());
        }
        let shared =
            Arc::new(Shared { queue: Mutex::default(), wake: Condvar::new(), capacity: options.queue, params, random });
        let mut pool = Self { shared, threads: Vec::with_capacity(options.threads) };
        for number in 0..options.threads {
            let shared = Arc::clone(&pool.shared);
            let thread = std::thread::Builder::new().name(format!("argon2-{number}")).spawn(move || shared.work());
            pool.threads.push(thread.map_err(|error| format!("no thread for the hash pool: {error}"))?);
        }
        Ok(pool)
    }

    async fn run(&self, password: &Secret, task: Task) -> Result<Done, HashError> {
        let (done, answer) = oneshot::channel();
        self.shared.submit(Job { password: password.clone(), task, done })?;
        // The sender is dropped without an answer only when the pool stops.
        answer.await.unwrap_or(Err(HashError::Overloaded))
    }
}

#[async_trait]
impl PasswordHasher for Argon2Pool {
    async fn hash(&self, password: &Secret) -> Result<String, HashError> {
        match self.run(password, Task::Hash).await? {
            Done::Hash(hash) => Ok(hash),
            Done::Verified(_) => Err(HashError::Unreadable),
        }
    }

    async fn verify(&self, password: &Secret, hash: Option<&str>) -> Result<Verified, HashError> {
        let task = hash.map_or(Task::Nothing, |hash| Task::Verify(hash.to_owned()));
        match self.run(password, task).await? {
            Done::Verified(verified) => Ok(verified),
            Done::Hash(_) => Err(HashError::Unreadable),
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn submit(&self, job: Job) -> Result<(), HashError> {
        let mut queue = self.lock();
        // A job that an idle thread takes at once does not wait, so it does not count.
        if queue.closed || queue.waiting.len() >= self.capacity + queue.idle {
            drop(queue);
            metrics::counter!("authkit_hash_refused_total").increment(1);
            return Err(HashError::Overloaded);
        }
        queue.waiting.push_back(job);
        let depth = queue.waiting.len();
        drop(queue);
        metrics::gauge!("authkit_hash_queue").set(depth as f64);
        self.wake.notify_one();
        Ok(())
    }

    /// The life of a thread.
    fn work(&self) {
        let mut blocks = Vec::new();
        while let Some(Job { password, task, done }) = self.next() {
            if done.is_closed() {
                continue;
            }
            let started = std::time::Instant::now();
            let result =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.perform(&password, &task, &mut blocks)));
            metrics::histogram!("authkit_hash_seconds").record(started.elapsed().as_secs_f64());
            let _ = done.send(result.unwrap_or(Err(HashError::Unreadable)));
        }
    }

    fn next(&self) -> Option<Job> {
        let mut queue = self.lock();
        loop {
            if queue.closed {
                return None;
            }
            if let Some(job) = queue.waiting.pop_front() {
                let depth = queue.waiting.len();
                drop(queue);
                metrics::gauge!("authkit_hash_queue").set(depth as f64);
                return Some(job);
            }
            queue.idle += 1;
            queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
            queue.idle -= 1;
        }
    }

    fn perform(&self, password: &Secret, task: &Task, blocks: &mut Vec<Block>) -> Result<Done, HashError> {
        let done = self.compute(password, task, blocks);
        // A stored hash may have needed more than those in force do.
        if blocks.len() > self.params.block_count() {
            *blocks = Vec::new();
        }
        done
    }

    fn compute(&self, password: &Secret, task: &Task, blocks: &mut Vec<Block>) -> Result<Done, HashError> {
        match task {
            Task::Hash => {
                let mut salt = [0; 16];
                self.random.fill(&mut salt);
                let output = digest(&self.params, password, &salt, OUTPUT, blocks)?;
                Ok(Done::Hash(encode(&self.params, &salt, &output)?))
            }
            Task::Nothing => {
                // The same steps as below, and an answer that does not depend on them.
                let stored = [0; OUTPUT];
                let output = digest(&self.params, password, &[0; 16], OUTPUT, blocks)?;
                let _ = std::hint::black_box(bool::from(output.ct_eq(&stored)));
                Ok(Done::Verified(Verified::No))
            }
            Task::Verify(hash) => {
                let stored = Stored::read(hash, &self.params)?;
                let output = digest(&stored.params, password, &stored.salt, stored.output.len(), blocks)?;
                Ok(Done::Verified(match bool::from(output.ct_eq(&stored.output)) {
                    false => Verified::No,
                    true if stored.is_current(&self.params) => Verified::Yes,
                    true => Verified::Outdated,
                }))
            }
        }
    }
}

/// A stored hash whose cost is bearable.
struct Stored {
    params: Params,
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl Stored {
    fn read(text: &str, in_force: &Params) -> Result<Self, HashError> {
        let parsed = PasswordHash::new(text).map_err(|_| HashError::Unreadable)?;
        let params = Params::try_from(&parsed).map_err(|_| HashError::Unreadable)?;
        let bearable = params.m_cost() <= MOST_MEMORY_KIB.max(in_force.m_cost())
            && params.t_cost() <= MOST_ITERATIONS.max(in_force.t_cost())
            && params.p_cost() <= MOST_LANES.max(in_force.p_cost());
        let kind = parsed.algorithm.as_str() == "argon2id" && parsed.version == Some(Version::V0x13.into());
        // A key id or associated data is nothing that AuthKit writes.
        let plain = params.keyid().is_empty() && params.data().is_empty();
        let (Some(salt), Some(output)) = (&parsed.salt, &parsed.hash) else { return Err(HashError::Unreadable) };
        if !(bearable && kind && plain && (16..=64).contains(&output.len())) {
            return Err(HashError::Unreadable);
        }
        Ok(Self { params, salt: salt.to_vec(), output: output.as_bytes().to_vec() })
    }

    fn is_current(&self, in_force: &Params) -> bool {
        self.params.m_cost() == in_force.m_cost()
            && self.params.t_cost() == in_force.t_cost()
            && self.params.p_cost() == in_force.p_cost()
            && self.output.len() == OUTPUT
    }
}

fn digest(
    params: &Params,
    password: &Secret,
    salt: &[u8],
    length: usize,
    blocks: &mut Vec<Block>,
) -> Result<Zeroizing<Vec<u8>>, HashError> {
    let count = params.block_count();
    if blocks.len() < count {
        // Let go of the smaller blocks first, so that both never exist at once.
        *blocks = Vec::new();
        blocks.try_reserve_exact(count).map_err(|_| HashError::Overloaded)?;
        blocks.resize(count, Block::default());
    }
    let mut output = Zeroizing::new(vec![0; length]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
        .hash_password_into_with_memory(password.expose().as_bytes(), salt, &mut output, &mut blocks[..count])
        .map_err(|_| HashError::Unreadable)?;
    Ok(output)
}

fn encode(params: &Params, salt: &[u8], output: &[u8]) -> Result<String, HashError> {
    // The output's length is not part of the parameters' text.
    let text = ParamsString::try_from(params).map_err(|_| HashError::Unreadable)?;
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: text,
        salt: Some(Salt::new(salt).map_err(|_| HashError::Unreadable)?),
        hash: Some(Output::new(output).map_err(|_| HashError::Unreadable)?),
    };
    Ok(hash.to_string())
}

impl Drop for Argon2Pool {
    fn drop(&mut self) {
        let mut queue = self.shared.lock();
        queue.closed = true;
        let refused = std::mem::take(&mut queue.waiting);
        drop(queue);
        drop(refused);
        self.shared.wake.notify_all();
        for thread in self.threads.drain(..) {
            // A panic of the thread was caught and answered already.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Argon2Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Argon2Pool").field("threads", &self.threads.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use authkit_core::memory::{InlineHasher, SystemRandom};
    use std::time::{Duration, Instant};

    const SMALL: Argon2Options = Argon2Options { memory_kib: 64, iterations: 1, parallelism: 1, threads: 1, queue: 4 };

    fn pool(options: &Argon2Options) -> Argon2Pool {
        Argon2Pool::start(options, Arc::new(SystemRandom)).expect("started")
    }

    #[tokio::test]
    async fn a_password_is_recognised_and_another_is_not() {
        let pool = pool(&SMALL);
        let hash = pool.hash(&"right".into()).await.expect("hashed");
        assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{hash}");
        assert_eq!(pool.verify(&"right".into(), Some(&hash)).await, Ok(Verified::Yes));
        assert_eq!(pool.verify(&"wrong".into(), Some(&hash)).await, Ok(Verified::No));
        assert_eq!(pool.verify(&"right".into(), None).await, Ok(Verified::No));
        let inline = InlineHasher::new(64, 1).expect("parameters");
        assert_eq!(
            inline.verify(&"right".into(), Some(&hash)).await,
            Ok(Verified::Yes),
            "another implementation agrees"
        );
    }

    #[tokio::test]
    async fn a_hash_of_other_parameters_is_outdated() {
        let old = pool(&SMALL).hash(&"right".into()).await.expect("hashed");
        let pool = pool(&Argon2Options { iterations: 2, ..SMALL });
        assert_eq!(pool.verify(&"right".into(), Some(&old)).await, Ok(Verified::Outdated));
        assert_eq!(pool.verify(&"wrong".into(), Some(&old)).await, Ok(Verified::No));
    }

    #[tokio::test]
    async fn hostile_and_foreign_hashes_are_refused_before_any_work() {
        let pool = pool(&SMALL);
        let started = Instant::now();
        for hash in [
            "",
            "plain",
            "$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$m=64,t=4000000,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$m=65536,t=1,p=4096$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=16$m=64,t=1,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0$AAAAAAAA",
            "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0",
        ] {
            assert_eq!(pool.verify(&"x".into(), Some(hash)).await, Err(HashError::Unreadable), "{hash}");
        }
        assert!(started.elapsed() < Duration::from_secs(1));
    }

    #[tokio::test]
    async fn beyond_the_queue_jobs_are_refused_at_once_and_the_others_are_done() {
        let pool = Arc::new(pool(&Argon2Options { memory_kib: 4_096, iterations: 4, queue: 3, ..SMALL }));
        let started = Instant::now();
        let mut running = Vec::new();
        for _ in 0..40 {
            let pool = Arc::clone(&pool);
            running.push(tokio::spawn(async move { (pool.hash(&"x".into()).await, Instant::now()) }));
        }
        let (mut done, mut refused) = (0, 0);
        let (mut first_done, mut last_refused) = (None::<Instant>, started);
        for job in running {
            match job.await.expect("no panic") {
                (Ok(_), at) => {
                    done += 1;
                    first_done = Some(first_done.map_or(at, |first| first.min(at)));
                }
                (Err(error), at) => {
                    assert_eq!(error, HashError::Overloaded);
                    refused += 1;
                    last_refused = last_refused.max(at);
                }
            }
        }
        assert!((3..=5).contains(&done), "{done} done");
        assert_eq!(done + refused, 40);
        assert!(first_done.is_some_and(|first| last_refused <= first), "a refusal waited for a hash");
    }

    #[tokio::test]
    async fn a_job_whose_caller_has_gone_is_skipped() {
        let pool = Arc::new(pool(&Argon2Options { memory_kib: 19_456, iterations: 4, queue: 64, ..SMALL }));
        let one = {
            let started = Instant::now();
            pool.hash(&"x".into()).await.expect("hashed");
            started.elapsed()
        };
        let abandoned: Vec<_> = (0..40)
            .map(|_| {
                let pool = Arc::clone(&pool);
                tokio::spawn(async move { pool.hash(&"x".into()).await })
            })
            .collect();
        tokio::task::yield_now().await;
        for job in &abandoned {
            job.abort();
        }
        let started = Instant::now();
        pool.hash(&"x".into()).await.expect("hashed");
        assert!(started.elapsed() < one * 20, "the abandoned jobs were done");
    }

    #[test]
    fn what_a_larger_stored_hash_needed_is_given_back() {
        let shared = &pool(&SMALL).shared;
        let large = Params::new(256, 1, 1, Some(OUTPUT)).expect("parameters");
        let output = digest(&large, &"one".into(), &[1; 16], OUTPUT, &mut Vec::new()).expect("hashed");
        let stored = encode(&large, &[1; 16], &output).expect("encoded");
        let mut blocks = Vec::new();
        let done = shared.perform(&"one".into(), &Task::Verify(stored), &mut blocks);
        assert!(matches!(done, Ok(Done::Verified(Verified::Outdated))));
        assert_eq!(blocks.capacity(), 0);
        shared.perform(&"one".into(), &Task::Hash, &mut blocks).expect("hashed");
        assert_eq!(blocks.len(), shared.params.block_count(), "those in force are kept");
    }

    #[test]
    fn a_thread_takes_its_blocks_once() {
        let params = Params::new(64, 1, 1, Some(OUTPUT)).expect("parameters");
        let mut blocks = Vec::new();
        digest(&params, &"one".into(), &[1; 16], OUTPUT, &mut blocks).expect("hashed");
        let before = (blocks.as_ptr(), blocks.capacity());
        let again = digest(&params, &"two".into(), &[2; 16], OUTPUT, &mut blocks).expect("hashed");
        assert_eq!((blocks.as_ptr(), blocks.capacity()), before, "the memory was taken anew");
        let fresh = digest(&params, &"two".into(), &[2; 16], OUTPUT, &mut Vec::new()).expect("hashed");
        assert_eq!(again, fresh, "what was in the blocks before changes the hash");
    }
}
