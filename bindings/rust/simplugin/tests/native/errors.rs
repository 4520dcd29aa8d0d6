// SPDX-License-Identifier: Apache-2.0
//! R277: errors with everything that the library knows of them.
use std::error::Error as _;

use simplugin::{BackendError, Error, ErrorKind, Index, rmpv};

use crate::common::Rig;

#[test]
fn r277_code_message_details() {
    let rig = Rig::new();
    let index = rig.fruit();
    let error = index.search().vectors(&[1.0_f32, 0.0]).k(0).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert_eq!((error.code(), error.code_name()), (1, "INVALID_ARGUMENT"));
    assert_eq!(error.detail("argument"), Some("k"));
    assert!(error.details().any(|pair| pair == ("argument", "k")));
    assert!(!error.is_retryable() && !error.domain().is_empty());
    assert!(error.to_string().contains("k") && !error.to_string().contains('\n'));
    assert!(format!("{error:?}").starts_with("INVALID_ARGUMENT: "));
    assert_eq!((error.backend_code(), error.backend_message()), (0, ""));
    assert!(error.source().is_none());

    let error = index.search().ids(["nowhere"]).send().unwrap_err();
    assert_eq!((error.kind(), error.detail("id")), (ErrorKind::NotFound, Some("nowhere")));
    let error = index.add(["x"], &[1.0_f32]).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DimensionMismatch);
    let error = index.call("index.serch").send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownMethod);
    assert!(error.message().contains("index.search"), "names the nearest");
}

#[test]
fn r277_what_a_server_said_is_the_source() {
    // a server that answers every request in the same words
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            use std::io::{Read, Write};
            let mut stream = stream.unwrap();
            _ = stream.read(&mut [0; 4096]);
            let body = r#"{"status":{"error":"the cellar is wet"},"time":0.1}"#;
            _ = write!(
                stream,
                "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    let rig = Rig::new();
    let url = format!("http://{address}");
    let connection = rig.session.connect().backend("qdrant").parameter("url", url).send();
    let error = connection.and_then(|connection| connection.health().send()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(error.backend_message().contains("the cellar is wet"), "{error:?}");
    let source = error.source().unwrap().downcast_ref::<BackendError>().unwrap();
    assert_eq!((source.code(), source.message()), (error.backend_code(), error.backend_message()));
}

#[test]
fn paths_that_are_no_text_are_refused() {
    use std::os::unix::ffi::OsStrExt;
    let path = std::path::Path::new(std::ffi::OsStr::from_bytes(b"/tmp/\xff"));
    let error = simplugin::Session::open().data_dir(path).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Malformed);
}

#[test]
fn every_code_has_a_kind() {
    let codes = (1..=29).chain(40..=48);
    let names = codes.map(|code| {
        // SAFETY: a static text.
        let name = unsafe { std::ffi::CStr::from_ptr(simplugin_sys::simplugin_code_name(code)) };
        name.to_str().unwrap()
    });
    let kinds = [
        ErrorKind::InvalidArgument,
        ErrorKind::NotFound,
        ErrorKind::AlreadyExists,
        ErrorKind::Unimplemented,
        ErrorKind::DeadlineExceeded,
        ErrorKind::Cancelled,
        ErrorKind::Busy,
        ErrorKind::Unavailable,
        ErrorKind::Unauthenticated,
        ErrorKind::PermissionDenied,
        ErrorKind::ResourceExhausted,
        ErrorKind::OutOfMemory,
        ErrorKind::Io,
        ErrorKind::Corrupt,
        ErrorKind::ReadOnly,
        ErrorKind::NoSpace,
        ErrorKind::VersionTooOld,
        ErrorKind::VersionTooNew,
        ErrorKind::Incompatible,
        ErrorKind::StaleHandle,
        ErrorKind::Forked,
        ErrorKind::PromptUnsupported,
        ErrorKind::DimensionMismatch,
        ErrorKind::Malformed,
        ErrorKind::Config,
        ErrorKind::UnknownMethod,
        ErrorKind::UnknownParameter,
        ErrorKind::Internal,
        ErrorKind::Protocol,
        ErrorKind::BackendUnknown,
        ErrorKind::BackendName,
        ErrorKind::PluginPath,
        ErrorKind::PluginUnsafe,
        ErrorKind::PluginUnloadable,
        ErrorKind::PluginNoEntry,
        ErrorKind::PluginForeignEntry,
        ErrorKind::PluginBadTable,
        ErrorKind::PluginEntryFailed,
    ];
    let spelled = |kind: &ErrorKind| {
        let mut name = String::new();
        for letter in format!("{kind:?}").chars() {
            if letter.is_uppercase() && !name.is_empty() {
                name.push('_');
            }
            name.push(letter.to_ascii_uppercase());
        }
        name
    };
    assert_eq!(names.collect::<Vec<_>>(), kinds.iter().map(spelled).collect::<Vec<_>>());
}

#[test]
fn errors_travel() {
    fn is_sent<T: Send + Sync + 'static>() {}
    is_sent::<Error>();
    is_sent::<Index>();
    is_sent::<simplugin::Hits>();
    is_sent::<simplugin::Scan>();
    is_sent::<simplugin::CancelToken>();
    let open = || -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        simplugin::Handle::from_raw(4711).call("index.size").send()?;
        Ok(())
    };
    let error = open().unwrap_err();
    assert_eq!(error.downcast_ref::<Error>().unwrap().kind(), ErrorKind::StaleHandle);
}

#[test]
fn r278_secrets_stay_out_of_errors() {
    let rig = Rig::new();
    let connect = rig.session.connect().backend("qdrant");
    // a request does not show them either
    assert!(
        !format!("{:?}", rig.session.connect().parameter("api_key", "hunter2secret"))
            .contains("hunter2")
    );
    let connect =
        connect.parameter("url", "http://127.0.0.1:1").parameter("api_key", "hunter2secret");
    let error = connect.send().and_then(|connection| connection.health().send()).unwrap_err();
    assert!(!format!("{error:?} {error}").contains("hunter2secret"));
    let explained = rig
        .session
        .explain()
        .backend("qdrant")
        .parameters([("api_key", rmpv::Value::from("hunter2secret"))])
        .send()
        .unwrap();
    assert!(!format!("{explained:?}").contains("hunter2secret"));
}

#[test]
fn a_body_that_is_written_already_is_added_to_or_refused() {
    let rig = Rig::new();
    let index = rig.fruit();
    let size = |bytes: &[u8]| {
        let call = index.call("index.size").body(simplugin::Body::from_bytes(bytes.to_vec()));
        call.set("filter", "color == \"red\"").send()
    };
    assert_eq!(size(b"\x80").unwrap().get("size").unwrap().as_u64(), Some(1));
    assert_eq!(size(b"").unwrap().get("size").unwrap().as_u64(), Some(1));
    let error = size(b"\x81\xa1x\x01").unwrap_err();
    assert_eq!((error.kind(), error.detail("argument")), (ErrorKind::InvalidArgument, Some("x")));
    for bytes in [&b"\x07"[..], b"\x91\x01", b"\xdf\x00", b"\x80\x80", b"\x81\xa1x"] {
        assert_eq!(size(bytes).unwrap_err().kind(), ErrorKind::Malformed, "{bytes:?}");
    }
}
