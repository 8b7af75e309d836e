//! A page that the spawner and its children share, so that a child can leave a word behind before it
//! runs its program.

use std::cell::RefCell;
use std::io;
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of the page; a word has eight.
const PAGE_BYTES: usize = 4096;

/// The page, and which of its words are free.
#[derive(Debug)]
pub(crate) struct Page {
    words: NonNull<AtomicU64>,
    free: RefCell<Vec<usize>>,
}

/// One word of it, given back when dropped. 0 until a child has set it.
#[derive(Debug)]
pub(crate) struct Word {
    page: Rc<Page>,
    index: usize,
}

impl Page {
    /// Map one.
    pub(crate) fn map() -> io::Result<Rc<Page>> {
        let (access, flags) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
        // SAFETY: asks for new memory anywhere; nothing that is mapped is touched.
        let mapped = unsafe { libc::mmap(std::ptr::null_mut(), PAGE_BYTES, access, flags, -1, 0) };
        if mapped == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let words = NonNull::new(mapped.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        let free = (0..PAGE_BYTES / size_of::<AtomicU64>()).collect();
        Ok(Rc::new(Page { words, free: RefCell::new(free) }))
    }

    /// A free word; none if all are taken.
    pub(crate) fn word(self: &Rc<Page>) -> Option<Word> {
        let index = self.free.borrow_mut().pop()?;
        let word = Word { page: Rc::clone(self), index };
        word.set(0);
        Some(word)
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, and no word outlives it.
        unsafe { libc::munmap(self.words.as_ptr().cast(), PAGE_BYTES) };
    }
}

impl Word {
    pub(crate) fn set(&self, value: u64) {
        self.atomic().store(value, Ordering::Release);
    }

    pub(crate) fn get(&self) -> u64 {
        self.atomic().load(Ordering::Acquire)
    }

    fn atomic(&self) -> &AtomicU64 {
        // SAFETY: the index is one of the page's, the page is mapped as long as `self.page` lives,
        // fresh pages are zeroes, and every access is atomic.
        unsafe { self.page.words.add(self.index).as_ref() }
    }
}

impl Drop for Word {
    fn drop(&mut self) {
        self.page.free.borrow_mut().push(self.index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_leaves_a_word_and_the_page_has_so_many() {
        let page = Page::map().unwrap();
        let words: Vec<Word> = std::iter::from_fn(|| page.word()).collect();
        assert_eq!(words.len(), 512);
        words[7].set(9);
        assert_eq!((words[6].get(), words[7].get()), (0, 9));
        drop(words);
        assert_eq!(page.word().map(|word| word.get()), Some(0), "and is used again empty");
    }
}
