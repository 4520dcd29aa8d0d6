// SPDX-License-Identifier: Apache-2.0
use simplugin_abi::Body;
use simplugin_abi::plugin::{code, simplugin_reply, simplugin_tensor};

use crate::Error;
use crate::host::host;

/// The host's memory is aligned to this, and so is each tensor in it.
const ALIGNMENT: usize = 64;

/// Copies a body and its tensors into one piece of memory of the reply's.
///
/// # Safety
/// `reply` is one that the host gave for this call.
pub(crate) unsafe fn fill(reply: *mut simplugin_reply, mut body: Body<'_>) -> Result<(), Error> {
    let request = body.request();
    let tensors = body.tensors();
    let head = aligned(size_of_val(tensors)) + aligned(request.body_size as usize);
    let size = tensors.iter().map(|tensor| aligned(tensor.bytes())).sum::<usize>() + head;
    let no_memory = || Error::new(code::OUT_OF_MEMORY, "no memory for the reply");
    let alloc = host().reply_alloc.ok_or_else(no_memory)?;
    // SAFETY: the caller's.
    let memory = unsafe { alloc(reply, size as u64) }.cast::<u8>();
    if memory.is_null() {
        return Err(no_memory());
    }
    // SAFETY: the memory is as large as all parts together, each rounded up.
    unsafe {
        let bytes = memory.add(aligned(size_of_val(tensors)));
        if request.body_size > 0 {
            bytes.copy_from_nonoverlapping(request.body, request.body_size as usize);
        }
        let mut at = memory.add(head);
        for (i, tensor) in tensors.iter().enumerate() {
            tensor.copy_to(at);
            let copy = simplugin_tensor { data: at.cast(), row_stride: 0, ..*tensor.raw() };
            memory.cast::<simplugin_tensor>().add(i).write(copy);
            at = at.add(aligned(tensor.bytes()));
        }
        (*reply).tensors = memory.cast();
        (*reply).tensor_count = tensors.len() as u64;
        (*reply).body = bytes;
        (*reply).body_size = request.body_size;
    }
    Ok(())
}

const fn aligned(size: usize) -> usize {
    size.next_multiple_of(ALIGNMENT)
}
