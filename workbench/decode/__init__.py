"""RawRecord → Event or Rejection: normalisation, schemas, upcasting, digests. Pure: values in, values out."""
