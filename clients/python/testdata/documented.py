# The calls of the section "Python API" in chapter "Endpoint Management" of
# Python Chiltepin's documentation, statement for statement.
import chiltepin.endpoint as endpoint

clients = endpoint.login()
compute_client = clients["compute"]

endpoint.configure("my-endpoint")

endpoint.start("my-endpoint")

ep_info = endpoint.show()
for name, props in ep_info.items():
    print(f"{name}: {props['id']}")

endpoint.stop("my-endpoint")

endpoint.logout()
