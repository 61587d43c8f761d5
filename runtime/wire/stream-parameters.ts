// Parameters of the messages of a ModelStreamInfer call, which server and client have to agree on.

/** Of an answer, bool: no further one follows for its request. */
export const FINAL_RESPONSE = 'triton_final_response';

/**
 * A header of the call, `true`; and then, of its errors, int64: the gRPC status that each has. Otherwise only an error that ends the
 * call tells its status. Triton does not know it.
 */
export const ERROR_STATUS = 'inferd_error_status';
