target_link_libraries(ganc_kernel PUBLIC ganc_ops)  # the printer's names of ops
