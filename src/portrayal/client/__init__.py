"""The typed Python client of the native API: the same calls as the package itself, made by a server.

from portrayal.client import Client

client = Client("http://127.0.0.1:8000")
result = client.generate("me.jpg", "in a cafe", output="cafe.png")
print(result.pictures[0].proof.score)
"""

from portrayal.client.client import Client
from portrayal.client.models import Character, Job, JobPicture, StoredFile
from portrayal.client.transport import ServerError

__all__ = ["Character", "Client", "Job", "JobPicture", "ServerError", "StoredFile"]
