"""The encrypted stream is the one of the Tink library, in both directions."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
import tink
from tink import secret_key_access, streaming_aead
from tink.proto import aes_gcm_hkdf_streaming_pb2, common_pb2, tink_pb2

from vigilar_core.recording_file import RecordingMetadata, RecordingReader, RecordingState
from vigilar_core.recording_file import header as clear_header

PLAINTEXTS = [b"", b"x", bytes(range(256)) * 40]


@pytest.fixture(scope="module", params=[128, 4096])
def segment_size(request: pytest.FixtureRequest) -> int:
    assert isinstance(request.param, int)
    return request.param


@pytest.fixture(scope="module")
def oracle(segment_size: int, key: bytes) -> streaming_aead.StreamingAead:
    streaming_aead.register()
    parameters = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingParams(
        ciphertext_segment_size=segment_size,
        derived_key_size=32,
        hkdf_hash_type=common_pb2.SHA256,
    )
    material = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingKey(params=parameters, key_value=key)
    data = tink_pb2.KeyData(
        type_url="type.googleapis.com/google.crypto.tink.AesGcmHkdfStreamingKey",
        value=material.SerializeToString(),
        key_material_type=tink_pb2.KeyData.SYMMETRIC,
    )
    entry = tink_pb2.Keyset.Key(
        key_data=data, status=tink_pb2.ENABLED, key_id=1, output_prefix_type=tink_pb2.RAW
    )
    keyset = tink_pb2.Keyset(primary_key_id=1, key=[entry])
    handle = tink.proto_keyset_format.parse(keyset.SerializeToString(), secret_key_access.TOKEN)
    return handle.primitive(streaming_aead.StreamingAead)


class _Kept(io.BytesIO):
    """Keeps its content when Tink closes it."""

    content = b""

    def close(self) -> None:
        if not self.closed:
            self.content = self.getvalue()
        super().close()


@pytest.mark.parametrize("chunks", [[], [b"x"], [b"a" * 40, b"b" * 3000], [bytes(80)] * 30])
def test_tink_reads_what_the_writer_sealed(
    oracle: streaming_aead.StreamingAead,
    segment_size: int,
    record: Callable[..., bytes],
    key: bytes,
    chunks: list[bytes],
) -> None:
    recording = record(chunks, segment_size=segment_size)
    reader = RecordingReader(io.BytesIO(recording), key)
    header = reader.cipher.header.encoded
    stream = oracle.new_decrypting_stream(io.BytesIO(recording[len(header) :]), header)
    assert stream.read() == reader.readall()


@pytest.mark.parametrize("plaintext", PLAINTEXTS, ids=len)
def test_the_reader_reads_what_tink_wrote(
    oracle: streaming_aead.StreamingAead,
    segment_size: int,
    key: bytes,
    metadata: RecordingMetadata,
    plaintext: bytes,
) -> None:
    header = clear_header.build(metadata, key, segment_size).encoded
    kept = _Kept()
    with oracle.new_encrypting_stream(kept, header) as stream:
        stream.write(plaintext)
    reader = RecordingReader(io.BytesIO(header + kept.content), key)
    assert reader.state is RecordingState.SEALED
    assert reader.readall() == plaintext


def test_tink_refuses_an_unsealed_file(
    oracle: streaming_aead.StreamingAead,
    segment_size: int,
    record: Callable[..., bytes],
    key: bytes,
) -> None:
    recording = record([b"a" * 3000] * 2, segment_size=segment_size, sealed=False)
    header = clear_header.read(io.BytesIO(recording)).encoded
    stream = oracle.new_decrypting_stream(io.BytesIO(recording[len(header) :]), header)
    with pytest.raises(tink.TinkError):
        stream.read()
